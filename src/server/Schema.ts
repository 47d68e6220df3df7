/**
 * What goes over HTTP, version 1: schemas for what comes in and for what is answered, and the types that browsers use.
 * JSON; amounts are decimal strings of base units, times unix seconds. What comes in is strict: a field that is not
 * named here is refused, so nobody sets what is not theirs to set.
 */
export * from './schema/Ask.js'
export * from './schema/Shape.js'
export * from './schema/View.js'
