/**
 * One way to the chain for all grants of a process: head, final block and logs are asked for once for all of them, and
 * each takes what is its own. A grant that is behind, or looks between two polls, asks for itself until it is along.
 */
import type { Address, Hex, PublicClient } from 'viem'
import * as Heads from './Heads.js'
import * as Logs from './Logs.js'
import * as Look from './Look.js'

/** A look that many may take: of the same moment for all of them. */
export type Shared = (subject: Logs.Subject, finality: Look.Finality) => Promise<Look.Look>

/** A budget that takes part. */
export type Member = {
  readonly grantId: Hex
  readonly agent: Address
  /** Reads on by what was seen. */
  readonly onLook: (look: Shared) => Promise<void>
  readonly onError: (error: unknown) => void
}

export type Feed = {
  /** Has a budget take part; what it returns ends that. The process is kept alive until the last one has left. */
  readonly join: (member: Member) => () => void
  /** Looks now, for one grant. */
  readonly look: Shared
  /** Looks now, for all; resolves when each has read it, or was told of its error. */
  readonly sync: () => Promise<void>
}

/** Blocks up to which a range is asked for on behalf of all: beyond, somebody is on a way of his own. */
const widest = 1_000n

/**
 * To hand to `openBudget` of many grants, with the same client. Logs are asked for once for all, and what is asked about
 * one grant in the state of a block (flags, totals) once for each.
 * @param options.pollMs milliseconds between two looks. Default: the client's `pollingInterval`; 30,000 over a
 * WebSocket, which tells of new blocks by itself
 */
export function create(client: PublicClient, options: { readonly pollMs?: number | undefined } = {}): Feed {
  const pollMs = options.pollMs ?? (Heads.canFollow(client) ? 30_000 : client.pollingInterval)
  const members = new Set<Member>()
  /** As each was when it last looked. */
  const subjects = new Map<string, Logs.Subject>()
  let timer: NodeJS.Timeout | undefined
  let unfollow: (() => void) | undefined

  function share(): Shared {
    const blocks = new Map<string, Promise<Look.Mined>>()
    const block = (tag: 'latest' | Look.Finality) => once(blocks, tag, () => Look.blockBy(client, tag))
    const numbered = new Map<bigint, Promise<Look.Mined | undefined>>()
    const logs = new Map<string, Promise<{ ids: ReadonlySet<string>; all: Logs.Logs }>>()
    const askForAll = async (range: Logs.Range) => {
      const ids = new Set(subjects.keys())
      return { ids, all: await Logs.get(client, [...subjects.values()], range) }
    }
    return async (subject, finality) => {
      subjects.set(idOf(subject), subject)
      const [latest, settled] = await Promise.all([block('latest'), block(finality)])
      return {
        latest,
        settled,
        block: (number) => once(numbered, number, () => Look.blockOf(client, number)),
        async getLogs(subject, range) {
          if (range.to - range.from < widest) {
            const id = `${range.from} ${range.to} ${range.hash}`
            const { ids, all } = await once(logs, id, () => askForAll(range))
            if (ids.has(idOf(subject))) return Logs.of(all, subject)
          }
          return Logs.of(await Logs.get(client, [subject], range), subject)
        },
      }
    }
  }

  async function sync() {
    const look = share()
    await Promise.all([...members].map(({ onLook, onError }) => onLook(look).catch(onError)))
  }

  function poll() {
    clearTimeout(timer)
    timer = setTimeout(poll, pollMs)
    void sync()
  }

  function begin() {
    timer = setTimeout(poll, pollMs)
    const onError = (error: unknown) => {
      for (const member of members) member.onError(error)
    }
    if (Heads.canFollow(client)) unfollow = Heads.follow(client, { onHead: poll, onError })
  }

  return {
    look: (subject, finality) => share()(subject, finality),
    sync,
    join(member) {
      if (members.size === 0) begin()
      members.add(member)
      return () => {
        if (!members.delete(member)) return
        subjects.delete(idOf(member))
        if (members.size > 0) return
        clearTimeout(timer)
        unfollow?.()
      }
    },
  }
}

/** A grant may have several agents, each with books of its own. */
function idOf({ grantId, agent }: Pick<Member, 'grantId' | 'agent'>): string {
  return `${grantId} ${agent}`
}

/** The answer to the first who asks is that of all; one that fails is asked for again. */
function once<key, value>(
  answers: Map<key, Promise<value>>,
  key: key,
  ask: () => Promise<value>,
): Promise<value> {
  const known = answers.get(key)
  if (known) return known
  const answer = ask()
  answers.set(key, answer)
  answer.catch(() => answers.delete(key))
  return answer
}
