import type { Source } from './tool.ts'

/** A citation's line; the titles of pages and documents are the words of strangers, of up to 2 MiB. */
const TITLE_CHARS = 300
/** What browsers, proxies and sitemaps agree on for URLs; keys of Azure AI Search have 1024 characters at most. */
const NAME_CHARS = 2048
/** The most that one search gives. */
const MOST_SOURCES = 20

/**
 * Sources as they may be recorded: each event of a journal is read with every step and every view of its mission. Titles
 * are cut. A URL that is cut leads elsewhere and an id names nothing, so a URL that is too long is left out, and with an id
 * that is too long the whole source: no answer could cite it.
 */
export function boundedSources(sources: readonly Source[]): Source[] {
  return sources
    .filter(({ id }) => id.length <= NAME_CHARS)
    .slice(0, MOST_SOURCES)
    .map(({ id, title, url }) => ({
      id,
      title: title === undefined ? undefined : shortTitle(title),
      url: url !== undefined && url.length <= NAME_CHARS ? url : undefined,
    }))
}

/** At most 300 characters, the last of them "…" where it was longer. */
export function shortTitle(title: string): string {
  return title.length <= TITLE_CHARS ? title : `${title.slice(0, TITLE_CHARS - 1).toWellFormed()}…`
}
