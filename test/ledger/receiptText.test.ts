import { describe, expect, test } from 'vitest'
import { memory } from '../../src/memory.js'
import * as Receipt from '../../src/Receipt.js'
import { scene } from './scene.js'

async function receipts() {
  const it = await scene(memory())
  await it.paid('a', 2_000_000n, { task: '=SUM(A1), "x"\nnext', host: 'api.example.com' })
  await it.reserve('b', 6_000_001n, { category: '-2' })
  return (await it.books()).receipts
}

describe('json', () => {
  test('default: read again it is the same, and holds', async () => {
    const given = await receipts()
    const text = Receipt.toJson(given)
    expect(Receipt.fromJson(text)).toEqual(given)
    expect(Receipt.verify(Receipt.fromJson(text), { head: given.at(-1)?.hash })).toMatchObject({
      holds: true,
    })
    expect(text.split('\n')).toHaveLength(given.length + 3)
    expect(Receipt.fromJson(Receipt.toJson([]))).toEqual([])
  })

  test('behavior: altered, dropped, reordered and truncated text does not hold', async () => {
    const given = await receipts()
    const lines = Receipt.toJson(given).trimEnd().slice(2, -2).split(',\n')
    const head = given.at(-1)?.hash
    const holds = (changed: string[]) =>
      Receipt.verify(Receipt.fromJson(`[${changed.join(',')}]`), { head }).holds
    expect(holds(lines)).toBe(true)
    expect(holds(lines.map((line) => line.replace('"6000001"', '"6000000"')))).toBe(false)
    expect(holds(lines.filter((_, n) => n !== 1))).toBe(false)
    expect(holds(lines.toReversed())).toBe(false)
    expect(holds(lines.slice(0, -1))).toBe(false)
  })

  test('error: what is none', async () => {
    const [first] = await receipts()
    if (!first) throw new Error('There are no receipts.')
    const text = Receipt.toJson([first])
    for (const bad of [
      '',
      '{}',
      '[1]',
      '[{}]',
      text.replace('"amount":"2000000"', '"amount":2'),
      text.replace('"hash":"0x', '"hash":"'),
    ])
      expect(() => Receipt.fromJson(bad)).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }))
  })
})

test('csv: default', async () => {
  const [header, reserved, ...rest] = Receipt.toCsv(await receipts(), { decimals: 6 }).split('\r\n')
  expect(header).toBe(
    'grantId,seq,time,event,ok,note,amount,amountUsd,payee,key,host,task,session,category,endpoint,txHash,previous,hash',
  )
  expect(reserved).toContain(',0,2030-01-01T12:00:00.000Z,reserved,true,reserved,2000000,2,')
  expect(reserved).toContain(`,api.example.com,"'=SUM(A1), ""x""\nnext",,,,,0x`)
  expect(rest[1]).toContain(',6000001,6.000001,')
  expect(rest[1]).toContain(",,'-2,,")
  expect(rest.at(-1)).toBe('')
})
