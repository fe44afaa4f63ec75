// MODSEQ. RFC 7162 §3.1.4.2.
import type { FetchItem, FetchItemDefinition } from '../fetch-item.ts'

export const modSeqItem: FetchItem = {
  label: 'MODSEQ',
  showsModSeq: true,
  write(message, out) {
    out.ascii('MODSEQ (').number(message.snapshot.modSeqs.at(message.position)).byte(0x29)
  },
}

export const modSeq: FetchItemDefinition = { name: 'MODSEQ', parse: () => modSeqItem }
