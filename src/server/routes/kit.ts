/** What the routes share: how bodies, answers and errors are described. */
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { z } from 'zod'
import { ErrorAnswer } from '../Schema.js'

/** `late`: that the time of a request is over, and its answer given. */
export type App = OpenAPIHono<{ Variables: { late: AbortSignal } }>

/** A JSON body that has to be there: without it the body would not be looked at when another type is claimed. */
export function body<schema extends z.ZodType>(schema: schema) {
  return { required: true, content: { 'application/json': { schema } } } as const
}

export function answer<schema extends z.ZodType>(schema: schema, description: string) {
  return { description, content: { 'application/json': { schema } } } as const
}

/** What every route may answer instead. */
export const errors = { default: answer(ErrorAnswer, 'an error, with a code for programs') } as const

export const byKey: Record<string, string[]>[] = [{ key: [] }]
export const bySession: Record<string, string[]>[] = [{ session: [], csrf: [] }]
export const byEither: Record<string, string[]>[] = [{ key: [] }, { session: [] }]
