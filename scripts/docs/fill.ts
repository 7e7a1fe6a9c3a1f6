/**
 * A page with the text between `<!-- NAME: … -->` and `<!-- end of NAME -->` replaced.
 * @throws Error where the page has no such place
 */
export function fill(page: string, name: string, text: string): string {
  const place = new RegExp(`(<!-- ${name}:[^>]*-->\n)[^]*?(<!-- end of ${name} -->)`)
  if (!place.test(page)) throw new Error(`There is no place called "${name}" in the page.`)
  return page.replace(place, (_, begin: string, end: string) => `${begin}\n${text}\n\n${end}`)
}
