// Mutants of the library: file, what stands there (once), what it becomes, the tests that have to fail.
const decision = ['test/core/decision.test.ts']
const ledger = ['test/ledger/ledger.test.ts', 'test/ledger/settlement.test.ts', 'test/ledger/reorg.test.ts']
const float = ['test/ledger/authorization.test.ts', 'test/ledger/directFloat.test.ts']
const postgres = ['test/ledger/postgres.test.ts', 'test/ledger/postgresLost.test.ts']

export const library = [
  ['src/Rules.ts', 'if (amount <= perCall) return', 'if (amount <= perCall + 1n) return', decision],
  ['src/Rules.ts', 'used.task + amount > limit)', 'used.task + amount >= limit)', decision],
  ['src/Rules.ts', 'used.day + amount > perDay)', 'used.day + amount >= perDay)', decision],
  ['src/Rules.ts', 'used.total + amount > total)', 'used.total + amount > total + 1n)', decision],
  ['src/Rules.ts', 'used.period + amount > permission.allowance', 'amount > permission.allowance', decision],
  ['src/Rules.ts', 'if (now < start)', 'if (now <= start)', decision],
  ['src/Rules.ts', 'if (now >= end)', 'if (now > end)', decision],
  ['src/Meter.ts', 'if (payment) await moveOpen(', 'if (!payment) await moveOpen(', ledger],
  ['src/Settlement.ts', ' || payment.amount !== fact.amount)', ')', ledger],
  ['src/Settlement.ts', 'final.number < after || head.number', 'head.number', ledger],
  ['src/Failure.ts', '|| nonce >= finalNonce)', '|| nonce > finalNonce)', ledger],
  ['src/Failure.ts', 'if (payment.alone === 0) return undefined', '', ['test/budget/batch.test.ts']],
  ['src/Settlement.ts', 'if (doubt) throw', 'if (false) throw', ['test/ledger/hazard.test.ts']],
  [
    'src/Attempt.ts',
    '!isSame || (',
    '(',
    ['test/budget/batch.test.ts', 'test/ledger/postgresBudget.test.ts'],
  ],
  [
    'src/Attempt.ts',
    "(pull === 'none' && paused === 1)",
    'false',
    ['test/ledger', 'test/budget/batch.test.ts'],
  ],
  ['src/Lost.ts', 'if (finalTime >= quietUntil) return', 'return', ['test/budget/lost.test.ts']],
  ['src/Lost.ts', 'used > (await knownNonces(tx, row))', 'false', ['test/budget/lost.test.ts']],
  [
    'src/Session.ts',
    'if (amount > perRequest)',
    'if (amount >= perRequest)',
    ['test/budget/session.test.ts'],
  ],
  ['src/Session.ts', 'since > 0n ? since : 0n', '0n', ['test/budget/session.test.ts']],
  ['src/Found.ts', 'await Meter.explain(tx, paid)', '', ['test/budget/session.test.ts']],
  ['src/Ledger.ts', 'paused: row.paused === 1,', 'paused: false,', ['test/budget/refuse.test.ts']],
  ['src/Ledger.ts', 'approved: row.approved === 1,', 'approved: true,', ['test/budget/refuse.test.ts']],
  ['src/Receipt.ts', 'receipt.previous !== previous', 'false', ['test/ledger/receipt.test.ts']],
  ['src/Facts.ts', 'fact.amount > 0n', 'fact.amount >= 0n', ['test/budget/foreign.test.ts']],
  [
    'src/Settlement.ts',
    'if (hash === row.finalHash) return',
    'if (hash) return',
    ['test/budget/endpoint.test.ts'],
  ],
  [
    'src/Failure.ts',
    'final.time < deadline',
    'final.time < deadline - 60',
    ['test/ledger/floatModel.test.ts'],
  ],
  ['src/Float.ts', ' - (await read(Meter.carried))', '', float],
  ['src/Float.ts', '(pulled < payerBalance ? pulled : payerBalance)', 'payerBalance', float],
  ['src/Funding.ts', 'if (most === perCall) return [least]', '', float],
  ['src/Authorization.ts', "if (payment.pull === 'failed')", 'if (false)', ['test/budget/purse.test.ts']],
  [
    'src/Lost.ts',
    'numbers === row.numbers && !isForgotten',
    'numbers === row.numbers',
    ['test/budget/floatBackup.test.ts'],
  ],
  ['src/postgres/index.ts', '.pg_advisory_xact_lock(', '.abs(', postgres],
  ['src/postgres/index.ts', "'synchronous_commit', 'on'", "'synchronous_commit', 'local'", postgres],
  ['src/postgres/index.ts', 'isolation level read committed', 'isolation level repeatable read', postgres],
  ['src/postgres/GrantDriver.ts', 'if (this.#failure !== undefined) throw', 'if (false) throw', postgres],
  ['src/postgres/GrantDriver.ts', ': StoreFailure.unknown()', ': StoreFailure.lost()', postgres],
]
