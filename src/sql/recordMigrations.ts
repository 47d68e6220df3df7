const status = `"status" text not null check ("status" in ('open', 'approved', 'declined'))`

const first = [
  `create table "server_keys" (
    "id" text not null primary key,
    "hash" text not null,
    "label" text not null,
    "family" text not null,
    "verbs" text not null,
    "grants" text not null,
    "createdAt" bigint not null,
    "expiresAt" bigint,
    "revokedAt" bigint
  )`,
  `create table "server_nonces" (
    "expiresAt" bigint not null,
    "hash" text not null,
    primary key ("expiresAt", "hash")
  )`,
  `create unique index "server_nonces_hash" on "server_nonces" ("hash")`,
  `create table "server_sessions" (
    "expiresAt" bigint not null,
    "hash" text not null,
    "address" text not null,
    "createdAt" bigint not null,
    primary key ("expiresAt", "hash")
  )`,
  `create unique index "server_sessions_hash" on "server_sessions" ("hash")`,
  `create table "server_requests" (
    "id" text not null primary key,
    "family" text not null,
    "grantId" text not null,
    "grant" text not null,
    "permission" text not null,
    "names" text not null,
    "note" text,
    ${status},
    "signature" text,
    "transactionHash" text,
    "createdAt" bigint not null,
    "expiresAt" bigint not null,
    "decidedAt" bigint,
    check (("status" = 'open') = ("decidedAt" is null)),
    check ("status" = 'approved' or ("signature" is null and "transactionHash" is null))
  )`,
  `create index "server_requests_family" on "server_requests" ("family", "grantId")`,
  `create table "server_increases" (
    "id" text not null primary key,
    "grantId" text not null,
    "family" text not null,
    "cap" text not null,
    "from" text not null,
    "to" text not null,
    "reason" text not null,
    "old" text not null,
    "grant" text not null,
    "permission" text not null,
    "replaces" text not null,
    ${status},
    "signature" text,
    "createdAt" bigint not null,
    "expiresAt" bigint not null,
    "decidedAt" bigint,
    check (("status" = 'open') = ("decidedAt" is null)),
    check (("status" = 'approved') = ("signature" is not null))
  )`,
  `create index "server_increases_grant" on "server_increases" ("grantId")`,
]

/** When requests end, and who asked for what, in short rows: requests are long, and are not kept for good. */
const ends = [
  `create table "server_ends" (
    "endsAt" bigint not null,
    "id" text not null,
    "family" text not null,
    "grantId" text not null,
    "counts" bigint not null check ("counts" in (0, 1)),
    primary key ("endsAt", "id")
  )`,
  `create index "server_ends_family" on "server_ends" ("family", "counts")`,
  `create table "server_asked" (
    "family" text not null,
    "grantId" text not null,
    primary key ("family", "grantId")
  )`,
  `insert into "server_ends" select coalesce("decidedAt", "expiresAt"), "id", "family", "grantId", 1 from "server_requests"`,
  `insert into "server_asked" select distinct "family", "grantId" from "server_requests"`,
  `drop index "server_requests_family"`,
]

/** Append-only, as those of the books are. */
export const recordMigrations: Readonly<Record<string, readonly string[]>> = {
  '0001_records': first,
  '0002_ends': ends,
}
