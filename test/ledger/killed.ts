// A process that is killed in the middle of a transaction: 20 steps are committed, the 21st has written and waits.
// The books are the file that is given, or PostgreSQL.
import { postgres } from '../../src/postgres/index.js'
import { sqlite } from '../../src/sqlite/index.js'

const [path] = process.argv.slice(2)
const grantId = `0x${'11'.repeat(32)}` as const
const store = path === undefined ? postgres(process.env.HARDCAP_BOOKS ?? '') : sqlite(path)
await store.transact(grantId, (tx) =>
  tx.put('grants', {
    grantId,
    chainId: 8453,
    agent: '0x00000000000000000000000000000000000000A1',
    grant: '{}',
    permissionHash: '0x',
    paused: 0,
    approved: 0,
    revoked: 0,
    pausedBy: null,
    revokedBy: null,
    lane: '0x',
    numbers: 0,
    knownNonces: 0,
    quietUntil: 0,
    payer: null,
    payerBalance: 0n,
    fundedBy: null,
    startNumber: 0,
    finalNumber: 0,
    finalHash: '0x',
    finalTime: 0,
    headNumber: 0,
    headHash: '0x',
    headTime: 0,
    receipts: 0,
    receiptHash: '0x',
  }),
)
for (let amount = 1n; amount <= 20n; amount++) {
  await store.transact(grantId, (tx) => tx.put('meters', { grantId, name: 'n', amount }))
}
await store.transact(grantId, async (tx) => {
  await tx.put('meters', { grantId, name: 'n', amount: 21n })
  process.stdout.write('writing\n')
  await new Promise(() => setInterval(() => {}, 1000))
})
