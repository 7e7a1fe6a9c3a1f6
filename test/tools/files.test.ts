import { describe, expect, test } from 'vitest'
import { fileNameProblem } from '../../src/tools/file-name.ts'
import { listFiles } from '../../src/tools/list-files.ts'
import { readFile } from '../../src/tools/read-file.ts'
import { writeFile } from '../../src/tools/write-file.ts'
import { call, contextWith } from './context.ts'

describe('list_files', () => {
  test('lists names and bytes in order of the names', async () => {
    const text = await call(listFiles, {}, contextWith({ 'b.txt': 'äö', 'a.txt': '' }))
    expect(JSON.parse(text)).toEqual({
      files: [
        { name: 'a.txt', bytes: 0 },
        { name: 'b.txt', bytes: 4 },
      ],
    })
  })

  test('takes no arguments', () => {
    expect(listFiles.input.safeParse({ folder: 'x' }).success).toBe(false)
  })
})

describe('read_file', () => {
  test('returns a small file as it is, without its byte order mark', async () => {
    expect(await call(readFile, { name: 'a.txt' }, contextWith({ 'a.txt': '\uFEFFone\ntwo\n' }))).toBe('one\ntwo\n')
    expect(await call(readFile, { name: 'a.txt' }, contextWith({ 'a.txt': 'one' }))).toBe('one')
  })

  test('says that an empty file is empty', async () => {
    expect(await call(readFile, { name: 'a.txt' }, contextWith({ 'a.txt': '' }))).toBe('[a.txt is empty]')
  })

  test('reads a range of lines and says how to read on', async () => {
    const context = contextWith({ 'a.txt': 'l1\nl2\nl3\nl4\n' })
    expect(await call(readFile, { name: 'a.txt', offset: 2, limit: 2 }, context)).toBe(
      'l2\nl3\n[lines 2-3 of 4; read on with read_file {"name":"a.txt","offset":4}]',
    )
    expect(await call(readFile, { name: 'a.txt', offset: 4 }, context)).toBe('l4\n')
  })

  test('following the notes gives back a file of many and of very long lines', async () => {
    const lines = Array.from({ length: 9000 }, (_, index) => `line ${index} ${'ü'.repeat(index % 40)}`)
    lines[4000] = `x${'😀'.repeat(60_000)}`
    const whole = lines.join('\n')
    const context = contextWith({ 'big.txt': whole })
    let next: unknown = { name: 'big.txt' }
    let read = ''
    for (let calls = 0; next && calls < 100; calls++) {
      const text = await call(readFile, next, context)
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(readFile.maxOutputBytes)
      expect(text.isWellFormed()).toBe(true)
      const note = /\n\[(?<part>part of)?.*read on with read_file (?<args>\{.*\})\]$/.exec(text)
      read += note ? text.slice(0, note.index) + (note.groups?.part ? '' : '\n') : text
      next = note ? JSON.parse(note.groups?.args ?? '') : undefined
    }
    expect(read === whole).toBe(true)
  })

  test('refuses a binary file with a sentence', async () => {
    const context = contextWith({ 'a.png': Buffer.from([0x89, 0x50, 0xff]), 'b.txt': Buffer.from('a\0b') })
    const refusal = { name: 'TerminalError', code: 'binary_file', message: /is not UTF-8 text/ }
    await expect(call(readFile, { name: 'a.png' }, context)).rejects.toMatchObject({
      ...refusal,
      message: expect.stringMatching(refusal.message),
    })
    await expect(call(readFile, { name: 'b.txt' }, context)).rejects.toMatchObject({ code: 'binary_file' })
  })

  test('says how many lines there are when asked past the end', async () => {
    const context = contextWith({ 'a.txt': 'one\ntwo\n' })
    await expect(call(readFile, { name: 'a.txt', offset: 3 }, context)).rejects.toMatchObject({
      code: 'past_end',
      message: 'a.txt has 2 lines; there is no line 3.',
    })
    await expect(call(readFile, { name: 'a.txt', offset: 1, column: 4 }, context)).rejects.toMatchObject({
      code: 'past_end',
    })
    await expect(call(readFile, { name: 'x' }, context)).rejects.toMatchObject({ code: 'file_not_found' })
  })
})

describe('write_file', () => {
  test.each([
    ['a file where another has a folder', 'a', 'a/b.txt'],
    ['a folder where another is a file', 'a/b.txt', 'a'],
  ])('refuses %s, which no disk could hold', async (_, there, name) => {
    const context = contextWith({ [there]: 'x', 'ab.txt': 'y' })
    await expect(call(writeFile, { name, content: 'z' }, context)).rejects.toMatchObject({ code: 'name_taken' })
    expect(await call(writeFile, { name: there, content: 'z' }, context)).toContain('Wrote')
  })

  test('writes a file that can be read again and reports it, the same each time', async () => {
    const context = contextWith()
    const args = { name: 'drafts/letter.txt', content: 'Grüße' }
    const first = await writeFile.run(args, context)
    expect(first).toEqual({
      text: 'Wrote drafts/letter.txt (7 bytes).',
      files: [{ name: 'drafts/letter.txt', bytes: 7, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    })
    expect(await writeFile.run(args, context)).toEqual(first)
    expect(await call(readFile, { name: 'drafts/letter.txt' }, context)).toBe('Grüße')
  })

  test.each(['report.md', 'a/b/c.txt', 'with space.txt', 'ünï.txt', 'a..b', 'x'.repeat(200)])(
    'accepts the name %j',
    (name) => {
      expect(fileNameProblem(name)).toBeUndefined()
    },
  )

  test.each([
    '',
    'x'.repeat(201),
    '.env',
    '..',
    '../a',
    'a/../b',
    'a/.git/config',
    './a',
    '/etc/passwd',
    'a//b',
    'a/',
    'a\\..\\b',
    'a\nb',
    'a\0b',
    'a\u2028b',
    'a\ud800',
  ])('refuses the name %j', (name) => {
    expect(writeFile.input.safeParse({ name, content: '' }).success).toBe(false)
  })
})
