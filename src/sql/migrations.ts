const amount = (column: string) =>
  `"${column}" text not null check ("${column}" = '0' or "${column}" not like '0%' and "${column}" not like '-%' and "${column}" <> '')`
const flag = (column: string) => `"${column}" integer not null check ("${column}" in (0, 1))`
const leg = (column: string) =>
  `"${column}" text not null check ("${column}" in ('none', 'signed', 'seen', 'failed'))`

const books = [
  `create table "grants" (
    "grantId" text not null primary key,
    "chainId" bigint not null,
    "agent" text not null,
    "grant" text not null,
    "permissionHash" text not null,
    ${flag('paused')},
    ${flag('approved')},
    ${flag('revoked')},
    "pausedBy" text,
    "revokedBy" text,
    "lane" text not null,
    "numbers" bigint not null check ("numbers" >= 0),
    "knownNonces" bigint not null check ("knownNonces" >= 0),
    "quietUntil" bigint not null,
    "payer" text,
    "payerBalance" text check ("payerBalance" not like '-%' and "payerBalance" <> ''),
    "fundedBy" text,
    "startNumber" bigint not null,
    "finalNumber" bigint not null,
    "finalHash" text not null,
    "finalTime" bigint not null,
    "headNumber" bigint not null,
    "headHash" text not null,
    "headTime" bigint not null,
    "receipts" bigint not null check ("receipts" >= 0),
    "receiptHash" text not null
  )`,
  `create unique index "grants_agent" on "grants" ("agent", "chainId")`,
  `create table "permissions" (
    "grantId" text not null references "grants" ("grantId"),
    "hash" text not null,
    "permission" text not null,
    primary key ("grantId", "hash")
  )`,
  `create table "payments" (
    "grantId" text not null references "grants" ("grantId"),
    "key" text not null,
    "via" text not null check ("via" in ('guard', 'direct', 'authorization', 'funding')),
    "payee" text not null,
    ${amount('amount')},
    "permissionHash" text not null,
    "host" text,
    "task" text,
    "session" text,
    "category" text,
    "endpoint" text,
    "ref" text not null,
    "number" text,
    "payer" text,
    "target" text check ("target" not like '-%' and "target" <> ''),
    "deadline" bigint,
    "nonce" bigint,
    ${flag('alone')},
    "triedAt" bigint,
    "ticket" text,
    "reservedAt" bigint not null,
    ${leg('pull')},
    ${leg('transfer')},
    ${flag('told')},
    "failure" text,
    ${flag('open')},
    primary key ("grantId", "key"),
    check ("transfer" = 'none' or "pull" <> 'none'),
    check ("via" in ('guard', 'funding') or "number" is null),
    check ("via" <> 'guard' or "number" is not null and "payer" is null),
    check ("via" not in ('authorization', 'funding') or "payer" is not null),
    check (("via" = 'funding' and "number" is not null) = ("target" is not null)),
    check ("via" = 'direct' or "pull" = "transfer" or "pull" = 'failed'),
    check ("via" not in ('guard', 'authorization') or "pull" <> 'signed' or "deadline" is not null),
    check ("target" is null or "pull" <> 'signed' or "deadline" is not null),
    check ("via" <> 'authorization' or "pull" <> 'none'),
    check ("number" is not null or "nonce" is null),
    check ("failure" is null or "pull" = 'failed' or "transfer" = 'failed')
  )`,
  `create index "payments_open" on "payments" ("grantId", "key") where "open" = 1`,
  `create index "payments_session" on "payments" ("grantId", "session", "key") where "session" is not null`,
  `create unique index "payments_ref" on "payments" ("grantId", "ref")`,
  `create index "payments_number" on "payments" ("grantId", "number", "key") where "number" is not null`,
  `create table "transactions" (
    "grantId" text not null references "grants" ("grantId"),
    "nonce" bigint not null check ("nonce" >= 0),
    "kind" text not null check ("kind" in ('pull', 'transfer', 'payment', 'call')),
    "key" text not null,
    "raw" text not null,
    "hash" text not null,
    "signedAt" bigint not null,
    primary key ("grantId", "nonce", "hash")
  )`,
  `create index "transactions_hash" on "transactions" ("grantId", "hash", "nonce")`,
  `create index "transactions_payment" on "transactions" ("grantId", "key", "nonce", "hash")`,
  `create table "events" (
    "grantId" text not null references "grants" ("grantId"),
    "blockNumber" bigint not null,
    "logIndex" bigint not null,
    "blockHash" text not null,
    "txHash" text not null,
    "time" bigint not null,
    "kind" text not null check ("kind" in ('pull', 'transfer', 'payment', 'authorization', 'cancellation')),
    ${amount('amount')},
    "payee" text not null,
    "permissionHash" text,
    "periodStart" bigint,
    "ref" text,
    "number" text,
    "payer" text,
    "window" bigint,
    "task" text,
    "key" text,
    ${flag('final')},
    primary key ("grantId", "blockNumber", "logIndex"),
    check (("kind" in ('pull', 'payment')) = ("permissionHash" is not null)),
    check (("kind" in ('pull', 'payment')) = ("periodStart" is not null)),
    check (("kind" in ('pull', 'transfer')) = ("ref" is null)),
    check (("kind" in ('authorization', 'cancellation')) = ("payer" is not null)),
    check ("kind" = 'payment' or "number" is null)
  )`,
  `create index "events_final" on "events" ("grantId", "blockNumber", "logIndex") where "final" = 0`,
  `create index "events_payment" on "events" ("grantId", "key", "blockNumber", "logIndex") where "key" is not null`,
  `create index "events_ref" on "events" ("grantId", "ref", "blockNumber", "logIndex") where "ref" is not null`,
  `create index "events_number" on "events" ("grantId", "number", "blockNumber", "logIndex") where "number" is not null`,
  `create table "sessions" (
    "grantId" text not null references "grants" ("grantId"),
    "id" text not null,
    "startedAt" bigint not null,
    "endedAt" bigint,
    ${amount('perRequest')},
    ${amount('perTask')},
    ${amount('perSession')},
    ${amount('unexplained')},
    primary key ("grantId", "id")
  )`,
  `create table "meters" (
    "grantId" text not null references "grants" ("grantId"),
    "name" text not null,
    ${amount('amount')},
    primary key ("grantId", "name")
  )`,
  `create table "receipts" (
    "grantId" text not null references "grants" ("grantId"),
    "seq" bigint not null check ("seq" >= 0),
    "receipt" text not null,
    "hash" text not null,
    primary key ("grantId", "seq")
  )`,
]

/**
 * Append-only: a migration that was released is never edited, a change is a new one behind it. A binary
 * that finds a migration it does not know refuses to open the books. Plain SQL that SQLite and PostgreSQL
 * both speak; amounts are decimal text, because a uint160 fits no integer column. A text column is always
 * declared as `"name" text`: `migrate` puts the type there that this database compares by bytes. An index holds only the
 * rows that are looked for by it, in the order of their keys, in which they are listed: without it SQLite would rather
 * go through all rows of the grant.
 */
export const migrations: Readonly<Record<string, readonly string[]>> = { '0001_books': books }
