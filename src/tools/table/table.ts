/** A row with its place in the file, counted from 1 without the header, so that errors can name it after filtering. */
export interface Row {
  number: number
  cells: string[]
}

/** A parsed table: every cell is the text of the file, and a missing or null cell is empty. */
export interface Table {
  columns: string[]
  rows: Row[]
}
