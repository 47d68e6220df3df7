/** `hardcap/server`: the HTTP interface for owners and backends. */
export { createServer, type Server } from './createServer.js'
export * as Key from './Key.js'
export type { Approved, Limits, ServerOptions } from './Options.js'
export { memoryRecords, type Records } from './Records.js'
export * as Schema from './Schema.js'
