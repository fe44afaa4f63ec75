// The people of the demo: the two whose mail it is, and those who write to them. All of them are made up.
import type { ComposeMailbox } from '../../message/compose-field.ts'

export const demoDomain = 'example.org'

export const ann: ComposeMailbox = { name: 'Ann Fields', address: `ann@${demoDomain}` }
export const ben: ComposeMailbox = { name: 'Ben Harbour', address: `ben@${demoDomain}` }

export const people = {
  clara: { name: 'Clara Moss', address: 'clara@mossandsons.example' },
  david: { name: 'דוד לוי', address: 'david@shuk.example' },
  emre: { name: 'Emre Yıldız', address: 'emre@liman.example' },
  fatima: { name: 'فاطمة الزهراء', address: 'fatima@dar.example' },
  haruka: { name: '田中 春香', address: 'haruka@minato.example' },
  ivan: { name: 'Иван Петров', address: 'ivan@verf.example' },
  library: { name: 'Town Library', address: 'desk@library.example' },
  list: { name: 'boats', address: 'boats@lists.example' },
  minji: { name: '김민지', address: 'minji@bada.example' },
  news: { name: 'The Harbour Gazette', address: 'gazette@news.example' },
  shop: { name: 'Ropes & Sails', address: 'orders@ropes.example' },
  wei: { name: '王伟', address: 'wei@gang.example' },
} as const satisfies Record<string, ComposeMailbox>
