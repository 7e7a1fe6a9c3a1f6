import type { DomNode, FormatCallback, HtmlToTextOptions } from 'html-to-text'
import { TerminalError } from '../domain/errors.ts'

const SKIPPED = ['nav', 'img', 'picture', 'svg', 'script', 'style', 'noscript', 'template', 'iframe']
/**
 * The parser's time grows with the square of open tags: 2 MB of nested <div> took 37 s, 40,000 tags take half a second.
 * A page with more of them has more text than a tool's result holds anyway.
 */
const MAX_TAGS = 40_000

/**
 * The title and the readable text of an HTML page; links keep their absolute address in brackets. `url` is the page's own.
 * TerminalError `bad_html` where it can't be read.
 */
export async function readHtml(html: string, url: string): Promise<{ title: string; text: string }> {
  const { convert } = await import('html-to-text')
  let title: string | undefined
  // The library's own baseUrl is only put in front of the path.
  const absolute = (href: string) => URL.parse(href, url)?.href ?? href
  const options: HtmlToTextOptions = {
    wordwrap: false,
    // The whole document, since <title> is outside <body> and both tags may be left out.
    baseElements: { selectors: [] },
    // Deeper than any page that is meant to be read; the library recurses.
    limits: { maxDepth: 200, ellipsis: '…' },
    formatters: {
      row: formatRow,
      title: (element) => {
        title ??= textOf(element)
      },
    },
    selectors: [
      ...SKIPPED.map((selector) => ({ selector, format: 'skip' })),
      { selector: 'title', format: 'title' },
      { selector: 'tr', format: 'row' },
      { selector: 'a', options: { pathRewrite: absolute, noAnchorUrl: true, hideLinkHrefIfSameAsText: true } },
      ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
    ],
  }
  const end = endOfTags(html, MAX_TAGS)
  const text = converted(() => convert(html.slice(0, end), options), url)
  const note = end < html.length ? '\n\n[the rest of this page was left out: it has too many tags]' : ''
  return { title: title ?? '', text: text + note }
}

/** The library throws on some nonsense, such as a roman list that starts at 4000. */
function converted(convert: () => string, url: string): string {
  try {
    return convert()
  } catch (error) {
    throw new TerminalError('bad_html', `The HTML of ${url} could not be turned into text.`, {
      hint: 'Look for the same content elsewhere.',
      cause: error,
    })
  }
}

/** Where the tag after the first `count` tags begins, or the text's length. */
function endOfTags(html: string, count: number): number {
  const tag = /<[a-z/]/gi
  for (let seen = 0; tag.exec(html); seen++) if (seen === count) return tag.lastIndex - 2
  return html.length
}

/** Cells in a line. The library's own table formatter lays out a grid, and `colspan=1000000` takes all memory there is. */
const formatRow: FormatCallback = (row, walk, builder) => {
  builder.openBlock({ leadingLineBreaks: 1 })
  const cells = row.children?.filter((child: DomNode) => child.type === 'tag') ?? []
  for (const [index, cell] of cells.entries()) {
    if (index > 0) builder.addLiteral(' | ')
    walk([cell], builder)
  }
  builder.closeBlock({ trailingLineBreaks: 1 })
}

function textOf(element: DomNode): string {
  const parts = element.children?.map((child: DomNode) => child.data ?? '') ?? []
  return parts.join('').replace(/\s+/g, ' ').trim()
}
