import pg from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { postgres } from '../../src/postgres/index.js'
import type { Store, TableName } from '../../src/Store.js'
import { schema } from '../../src/Tables.js'
import { databaseUrl, postgresBooks, query } from '../database.js'
import { grantRow, signal } from './rows.js'

const ends: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

function books() {
  const made = postgresBooks()
  ends.push(made.end)
  return made
}

const grant = grantRow(1)
const { grantId } = grant

async function count(store: Store, name = 'n'): Promise<bigint> {
  return (await store.transact(grantId, (tx) => tx.get('meters', { grantId, name })))?.amount ?? 0n
}

function increment(store: Store, id = grantId): Promise<void> {
  return store.transact(id, async (tx) => {
    const before = (await tx.get('meters', { grantId: id, name: 'n' }))?.amount ?? 0n
    await tx.put('meters', { grantId: id, name: 'n', amount: before + 1n })
  })
}

/** Until a session of these books waits for a lock. */
async function untilWaiting(schema: string): Promise<void> {
  const waiting = `select from pg_locks join pg_stat_activity using (pid) where not granted and application_name = $1`
  while ((await query(waiting, [schema])).length === 0);
}

describe('the tables', () => {
  test('behavior: exactly the columns and keys that the port names, every text compared by its bytes', async () => {
    const { open, schema: name } = books()
    await open().transact(grantId, async () => {})
    for (const table of Object.keys(schema) as TableName[]) {
      const columns = await query(
        `select column_name, data_type, collation_name from information_schema.columns
         where table_schema = $1 and table_name = $2`,
        [name, table],
      )
      expect(columns.map((column) => column.column_name).sort()).toEqual(
        Object.keys(schema[table].columns).sort(),
      )
      for (const { data_type, collation_name } of columns) {
        expect([data_type, collation_name]).toEqual([data_type, data_type === 'text' ? 'C' : null])
      }
      const key = await query(
        `select attname from pg_index join pg_attribute on attrelid = indrelid and attnum = any (indkey)
         where indrelid = $1::regclass and indisprimary order by array_position(indkey::int[], attnum::int)`,
        [`"${name}"."${table}"`],
      )
      expect(key.map((column) => column.attname)).toEqual(schema[table].key)
    }
  })

  test('behavior: rows come in the order of bytes, also in a database that orders by language', async () => {
    const name = `language_${process.pid}`
    await query(`create database ${name} template template0 locale_provider icu icu_locale 'en-US'`)
    const url = new URL(await databaseUrl())
    url.pathname = `/${name}`
    const store = postgres(url.href)
    ends.push(async () => {
      await store.close()
      await query(`drop database ${name} with (force)`)
    })
    const names = ['b', 'a', 'B', 'A', 'é', '_', 'z']
    await store.transact(grantId, async (tx) => {
      await tx.put('grants', grant)
      for (const name of names) await tx.put('meters', { grantId, name, amount: 0n })
    })
    const [{ first }] = await query(`select min(n) as first from unnest($1::text[]) n`, [names], url.href)
    expect(first).not.toBe('A')
    const rows = await store.transact(grantId, (tx) => tx.list('meters', { grantId }))
    expect(rows.map((row) => row.name)).toEqual(['A', 'B', '_', 'a', 'b', 'z', 'é'])
  })

  test('behavior: they refuse a leg, a flag or an amount that cannot be', async () => {
    const store = books().open()
    await store.transact(grantId, (tx) => tx.put('grants', grant))
    const meter = (amount: unknown) =>
      store.transact(grantId, (tx) => tx.put('meters', { grantId, name: 'a', amount } as never))
    await expect(meter(-1n)).rejects.toThrow(/check constraint/)
    await expect(meter('01')).rejects.toThrow(/check constraint/)
    await expect(
      store.transact(grantId, (tx) => tx.put('grants', { ...grant, paused: 2 } as never)),
    ).rejects.toThrow(/check constraint/)
  })

  test('behavior: free text with a NUL, as an endpoint can say it, is kept without', async () => {
    const store = books().open()
    const said = { ...grant, finalHash: 'no\0funds' }
    await store.transact(grantId, (tx) => tx.put('grants', said))
    const kept = await store.transact(grantId, (tx) => tx.get('grants', { grantId }))
    expect(kept).toEqual({ ...grant, finalHash: 'no\ufffdfunds' })
  })

  test('behavior: a bigint comes back exactly whatever parsers the process has set, or is refused', async () => {
    const { open, schema: name } = books()
    const store = open()
    const parse = pg.types.getTypeParser(20)
    ends.push(() => pg.types.setTypeParser(20, parse))
    pg.types.setTypeParser(20, (text) => Number(text) + 1)
    const numbers = Number.MAX_SAFE_INTEGER
    await store.transact(grantId, (tx) => tx.put('grants', { ...grant, numbers }))
    const read = () => store.transact(grantId, (tx) => tx.get('grants', { grantId }))
    expect(await read()).toEqual({ ...grant, numbers })
    await query(`update ${name}.grants set numbers = 9007199254740993`)
    await expect(read()).rejects.toThrow(/grants.numbers is 9007199254740993/)
  })
})

describe('transactions', () => {
  test('behavior: fifty parallel ones of one grant from two hosts are all counted', async () => {
    const { open } = books()
    const hosts = [open({ poolSize: 3 }), open({ poolSize: 3 })] as const
    await hosts[0].transact(grantId, (tx) => tx.put('grants', grant))
    await Promise.all(Array.from({ length: 50 }, (_, i) => increment(hosts[i % 2 === 0 ? 0 : 1])))
    expect(await count(hosts[1])).toBe(50n)
  })

  test('behavior: two hosts that open the same new grant wait for each other', async () => {
    const { open, schema: name } = books()
    const [here, there] = [open(), open()]
    const [began, go] = [signal(), signal()]
    const story: string[] = []
    const first = here.transact(grantId, async (tx) => {
      began.happen()
      await go.happened
      await tx.put('grants', grant)
      story.push('first')
    })
    await began.happened
    const second = there.transact(grantId, async (tx) => {
      story.push('second')
      return tx.get('grants', { grantId })
    })
    await untilWaiting(name)
    expect(story).toEqual([])
    go.happen()
    await first
    expect(await second).toEqual(grant)
    expect(story).toEqual(['first', 'second'])
  })

  test('behavior: different grants run at the same time, also while one grant has more waiting than connections', async () => {
    const store = books().open({ poolSize: 3 })
    const [busy, one, other] = [signal(), signal(), signal()]
    const waiting = Array.from({ length: 6 }, () => store.transact(grantId, () => busy.happened))
    // Each ends only if the other has begun.
    const meet = (mine: typeof one, theirs: typeof one) => () => {
      mine.happen()
      return theirs.happened
    }
    await Promise.all([
      store.transact(grantRow(2).grantId, meet(one, other)),
      store.transact(grantRow(3).grantId, meet(other, one)),
    ])
    busy.happen()
    await Promise.all(waiting)
  })

  test('behavior: they are durable, writable and read committed, whatever the defaults of the server', async () => {
    const { open, schema: name } = books()
    await open().transact(grantId, (tx) => tx.put('grants', grant))
    await query(`
      create table ${name}.seen (setting text);
      create function ${name}.look() returns trigger language plpgsql as $$ begin
        insert into ${name}.seen select current_setting(n) from unnest(array[
          'synchronous_commit', 'transaction_isolation', 'transaction_read_only', 'search_path']) n;
        return new;
      end $$;
      create trigger look before insert on ${name}.meters for each row execute function ${name}.look()`)
    const settings = async (commit: string) => {
      const url = new URL(await databaseUrl())
      const defaults = {
        synchronous_commit: commit,
        default_transaction_isolation: 'serializable',
        default_transaction_read_only: 'on',
        search_path: 'nowhere',
      }
      const options = Object.entries(defaults).map(([setting, value]) => `-c ${setting}=${value}`)
      url.searchParams.set('options', options.join(' '))
      const store = postgres(url.href, { schema: name })
      ends.push(store.close)
      await query(`delete from ${name}.seen`)
      await increment(store)
      return (await query(`select setting from ${name}.seen`)).map((row) => row.setting)
    }
    const others = ['read committed', 'off', `${name}, pg_temp`]
    expect(await settings('off')).toEqual(['on', ...others])
    expect(await settings('local')).toEqual(['on', ...others])
    // Stronger than what is asked for, and left.
    expect(await settings('remote_apply')).toEqual(['remote_apply', ...others])
  })

  test('error: a failed statement that the work lets pass is not committed as if it had not been', async () => {
    const store = books().open()
    await store.transact(grantId, (tx) => tx.put('grants', grant))
    const careless = store.transact(grantId, async (tx) => {
      await tx.put('meters', { grantId, name: 'n', amount: 1n })
      await tx.put('meters', { grantId, name: 'm', amount: -1n }).catch(() => {})
      return 'done'
    })
    await expect(careless).rejects.toThrow(/check constraint/)
    expect(await count(store)).toBe(0n)
  })

  test('error: work that goes on after its transaction reaches no other transaction', async () => {
    const store = books().open({ poolSize: 1 })
    await store.transact(grantId, (tx) => tx.put('grants', grant))
    const late = await store.transact(grantId, async (tx) => ({
      write: () => tx.put('meters', { grantId, name: 'n', amount: 5n }),
    }))
    await store.transact(grantId, async () => {
      await expect(late.write()).rejects.toThrow(/already committed/)
    })
    expect(await count(store)).toBe(0n)
  })

  test('error: STORE_BUSY where another host keeps the grant for longer than busyTimeoutMs', async () => {
    const { open } = books()
    const [here, there] = [open(), open({ busyTimeoutMs: 40 })]
    await there.transact(grantId, (tx) => tx.put('grants', grant))
    const [began, go] = [signal(), signal()]
    const first = here.transact(grantId, async (tx) => {
      await tx.put('meters', { grantId, name: 'n', amount: 1n })
      began.happen()
      await go.happened
    })
    await began.happened
    await expect(increment(there)).rejects.toMatchObject({
      code: 'STORE_BUSY',
      retryable: true,
      figures: { busyTimeoutMs: 40 },
    })
    go.happen()
    await first
    await increment(there)
    expect(await count(here)).toBe(2n)
  })

  test('error: STORE_BUSY where two hosts open grants of one agent at once; the next attempt sees the other', async () => {
    const { open } = books()
    const [here, there] = [open(), open()]
    const rival = { ...grantRow(2), agent: grant.agent }
    const [wrote, go] = [signal(), signal()]
    const first = here.transact(grantId, async (tx) => {
      await tx.put('grants', grant)
      wrote.happen()
      await go.happened
    })
    await wrote.happened
    const second = there.transact(rival.grantId, async (tx) => {
      expect(await tx.list('grants', { agent: grant.agent })).toEqual([])
      go.happen()
      await tx.put('grants', rival)
    })
    // Whichever the server lets commit first.
    const ends = await Promise.allSettled([first, second])
    const failures = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))
    expect(failures).toMatchObject([{ code: 'STORE_BUSY', retryable: true }])
    const agents = there.transact(rival.grantId, (tx) => tx.list('grants', { agent: grant.agent }))
    expect(await agents).toEqual([ends[0].status === 'fulfilled' ? grant : rival])
  })

  test('error: STORE_BUSY where no connection of the pool is free for as long as silenceTimeoutMs', async () => {
    const { open } = books()
    await open().transact(grantId, async () => {})
    const store = open({ poolSize: 1, silenceTimeoutMs: 1_000 })
    const [began, go] = [signal(), signal()]
    const first = store.transact(grantId, () => {
      began.happen()
      return go.happened
    })
    await began.happened
    const second = store.transact(grantRow(2).grantId, async () => {})
    await expect(second).rejects.toMatchObject({ code: 'STORE_BUSY', retryable: true })
    go.happen()
    // By now the server has taken it back, which is another test's.
    await first.catch(() => {})
  })
})

describe('migrations', () => {
  test('behavior: five hosts that start at once migrate once', async () => {
    const { open, schema: name } = books()
    const hosts = Array.from({ length: 5 }, () => open())
    await Promise.all(hosts.map((host) => host.transact(grantId, (tx) => tx.put('grants', grant))))
    expect(await query(`select name from ${name}.migrations`)).toEqual([{ name: '0001_books' }])
    expect(await query(`select from ${name}.grants`)).toHaveLength(1)
  })

  test('behavior: a user who may write but not create uses books that are there', async () => {
    const { open, schema: name } = books()
    await open().transact(grantId, (tx) => tx.put('grants', grant))
    const user = `clerk_${name}`
    await query(`
      create role ${user} login password 'clerk';
      grant usage on schema ${name} to ${user};
      grant select, insert, update, delete on all tables in schema ${name} to ${user}`)
    const url = new URL(await databaseUrl())
    Object.assign(url, { username: user, password: 'clerk' })
    const [store, strange] = [
      postgres(url.href, { schema: name }),
      postgres(url.href, { schema: `${name}_other` }),
    ]
    ends.push(async () => {
      await Promise.all([store.close(), strange.close()])
      await query(`drop owned by ${user}; drop role ${user}`)
    })
    await increment(store)
    expect(await count(store)).toBe(1n)
    await expect(count(strange)).rejects.toMatchObject({ code: 'STORE_UNREADABLE', retryable: false })
  })

  test('error: STORE_NEWER for books of a newer hardcap', async () => {
    const { open, schema: name } = books()
    await open().transact(grantId, async () => {})
    await query(`insert into ${name}.migrations values ('9999_from_the_future')`)
    await expect(open().transact(grantId, async () => {})).rejects.toMatchObject({
      code: 'STORE_NEWER',
      message: expect.stringContaining('9999_from_the_future'),
    })
  })
})
