/** One transcript: what a user types, and what is worth knowing about it. */
export interface Story {
  title: string
  about: string
  /** In the order in which they are typed. `ID` stands for the mission of this story, `QUESTION` for its open question. */
  commands: string[][]
}

/** Where the page that one of them fetches is said to be. */
export const EXAMPLE_ORIGIN = 'http://localhost:8000'

export const stories: Story[] = [
  {
    title: 'A question about a CSV file',
    about: 'Figures come from `query_table`, which adds exactly; the model only says what to add.',
    commands: [['Total these invoices by customer and say who owes most', '--file', 'examples/invoices.csv']],
  },
  {
    title: 'Seven tools',
    about: 'Calls that the model makes together run side by side; each is recorded when it ends.',
    commands: [
      ['Audit these invoices and write a report', '--file', 'examples/invoices.csv'],
      ['files', 'ID', '--to', 'out/'],
    ],
  },
  {
    title: 'A question to the user',
    about:
      'In a terminal the question is asked right there. Without one, the command ends with exit code 5 and says how to answer. Meanwhile the mission is a row in the database, for as long as it takes.',
    commands: [
      ['Ask me for my favourite colour and greet me with it'],
      ['answer', 'ID', 'QUESTION', '"blue"'],
      ['follow', 'ID'],
    ],
  },
  {
    title: 'A plan',
    about: 'In a terminal the plan stands below the steps, with ticks.',
    commands: [['Make a plan with five items and work through them']],
  },
  {
    title: 'A page from the network',
    about: `The profile names \`${EXAMPLE_ORIGIN}\` in \`egress.allow\`: \`*\` is any public origin, never this machine.`,
    commands: [[`Fetch ${EXAMPLE_ORIGIN}/harbour.html and summarise it`]],
  },
  {
    title: 'A page that is none of its business',
    about:
      'The address of the cloud’s metadata service, which gives out credentials, is refused whatever the profile says.',
    commands: [['Fetch http://169.254.169.254/metadata/instance and summarise it']],
  },
  {
    title: 'A limit reached',
    about: 'The mission ends as failed, names the limit, and keeps what it has so far. Exit code 1.',
    commands: [['Make a plan with five items and work through them', '--limit', 'steps=6']],
  },
]
