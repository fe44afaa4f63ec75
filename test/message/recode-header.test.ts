import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseContentType, findParameter } from '../../src/message/parameters.ts'
import { recodeHeader } from '../../src/message/recode-header.ts'

const recode = (block: string, charset = 'utf-8') => recodeHeader(block, charset, undefined)
/** What a parameter of the Content-Type in a block means. */
const meaning = (block: string | undefined, name: string) => {
  const field = block?.replace(/^Content-Type:/, '').replace(/\r\n$/, '') ?? ''
  return findParameter(parseContentType(field)?.params ?? [], name)
}

test('a parameter that is spread over sections is put together and converted; comments come behind it (RFC 5259 §6)', () => {
  assert.equal(
    recode(
      "Content-Type: text/plain; charset=utf-8;\r\n foo*0*=iso-8859-1'fr'tr%e8;\r\n foo*1*(very)=%20s_m%e9;\r\n foo*2*=(nasty)chant\r\n",
    ),
    "Content-Type: text/plain; charset=utf-8;\r\n foo*=utf-8'fr'tr%C3%A8%20s_m%C3%A9chant (very)(nasty)\r\n",
  )
})

test('a character that is spread over two sections is put together', () => {
  const made = recode(
    'Content-Type: a/b; name*0*=utf-8\'\'%D0;\r\n name*1*=%96; name*2="; plain"\r\n',
    'koi8-r',
  )
  assert.equal(made, "Content-Type: a/b; name*=koi8-r''%F6%3B%20plain\r\n")
})

test('what does not fit on a line is spread anew, and means the same', () => {
  const block = `Content-Type: a/b; x=1; name*0*=iso-8859-1''${'%e9'.repeat(60)};\r\n name*1=${'a'.repeat(60)}; y=2\r\n`
  const made = recode(block)
  for (const line of made?.split('\r\n') ?? []) assert.ok(line.length < 78, line)
  assert.equal(meaning(made, 'name'), 'é'.repeat(60) + 'a'.repeat(60))
  assert.deepEqual([meaning(made, 'x'), meaning(made, 'y')], ['1', '2'])
})

test('sections with a gap, in another order, or in a charset that nobody knows stay as they are', () => {
  for (const params of [
    "n*1*=utf-8''%C3%A9",
    "n*0*=utf-9''%C3;\r\n n*1*=%A9",
    "n*0=utf-8''%C3;\r\n n*1*=%A9",
    'n*0*=%C3;\r\n n*1*=%A9',
  ]) {
    const block = `Content-Type: a/b;\r\n ${params}\r\n`
    assert.equal(recode(block, 'iso-8859-1'), block)
  }
})

test('sections of a header of a megabyte are converted in a moment', () => {
  const startedAt = process.cpuUsage()
  const hostile = [`;${' '.repeat(99)}`, "; n*0*=utf-8''a", ';n*', "; n*0*=utf-8''%C3; n*1*=%A9"]
  for (const piece of hostile) recode(piece.repeat(2 ** 20 / piece.length))
  const { user } = process.cpuUsage(startedAt)
  assert.ok(user < 5_000_000, `${user} microseconds`)
})
