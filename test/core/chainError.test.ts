import { type Abi, type AbiParameter, encodeErrorResult, parseAbi } from 'viem'
import { describe, expect, test } from 'vitest'
import { hardcapGuardAbi, purseAbi, spendPermissionManagerAbi } from '../../abi/index.js'
import { ChainError, fromRevert, toChainError } from '../../src/ChainError.js'

/** A value of the parameter's type, each field a different one. */
function sample(parameter: AbiParameter & { components?: readonly AbiParameter[] }, n: number): unknown {
  if (parameter.components) {
    return Object.fromEntries(parameter.components.map((field, i) => [field.name, sample(field, n + i)]))
  }
  if (parameter.type === 'address') return `0x${String(n).padStart(40, '0')}`
  return parameter.type === 'uint48' ? n : BigInt(n)
}

const spmErrors = spendPermissionManagerAbi.filter((item) => item.type === 'error')
// Some errors of libraries are in both.
const guardErrors = new Map(
  [...hardcapGuardAbi, ...purseAbi].flatMap((item) =>
    item.type === 'error' ? [[item.name, item] as const] : [],
  ),
)

describe('fromRevert', () => {
  for (const { name, inputs } of spmErrors) {
    const code = name === 'SafeERC20FailedOperation' ? 'TOKEN_REFUSED' : screaming(name)
    test(`default: ${name} is ${code}, with its arguments by name`, () => {
      const args = inputs.map((input: AbiParameter, i: number) => sample(input, i + 1))
      const abi: Abi = spmErrors
      const error = fromRevert(encodeErrorResult({ abi, errorName: name, args }), 'Trying')
      expect(error).toBeInstanceOf(ChainError)
      expect(error.code).toBe(code)
      expect(error.figures).toEqual(Object.fromEntries(inputs.map(({ name }, i) => [name, args[i]])))
      // Who was doing what, what the chain said, and what to do about it.
      expect(error.message).toMatch(new RegExp(`^Trying: the chain answered ${name}\\(.*\\)\\. \\S`))
    })
  }

  for (const [name, item] of guardErrors) {
    test(`default: ${name} of the guard is ${screaming(name)}, with its arguments by name`, () => {
      const inputs: readonly AbiParameter[] = item.inputs
      const args = inputs.map((input, i) =>
        input.type === 'bytes32' ? `0x${String(i + 1).padStart(64, '0')}` : sample(input, i + 1),
      )
      const abi: Abi = [item]
      const error = fromRevert(encodeErrorResult({ abi, errorName: name, args }), 'Trying')
      expect(error.code).toBe(screaming(name))
      // Times are numbers, whatever the contract has them as.
      const figure = (field: string | undefined, value: unknown) =>
        field === 'deadline' || field === 'time' ? Number(value) : value
      expect(error.figures).toEqual(
        Object.fromEntries(inputs.map(({ name }, i) => [name, figure(name, args[i])])),
      )
      expect(error.message).toMatch(new RegExp(`^Trying: the chain answered ${name}\\(.*\\)\\. \\S`))
    })
  }

  test('behavior: a struct is written with its fields', () => {
    const period = (spend: bigint) => ({ start: 1, end: 2, spend })
    const data = encodeErrorResult({
      abi: spendPermissionManagerAbi,
      errorName: 'InvalidLastUpdatedPeriod',
      args: [period(3n), period(4n)],
    })
    expect(fromRevert(data, 'Trying').message).toContain(
      'actualLastUpdatedPeriod { start: 1, end: 2, spend: 3 }',
    )
  })

  for (const [reason, code, retryable] of [
    ['ERC20: transfer amount exceeds balance', 'INSUFFICIENT_BALANCE', true],
    ['Blacklistable: account is blacklisted', 'BLACKLISTED', false],
    ['Pausable: paused', 'TOKEN_PAUSED', true],
    ['something else', 'REVERTED', false],
  ] as const) {
    test(`behavior: the revert string ${JSON.stringify(reason)} is ${code}`, () => {
      const data = encodeErrorResult({
        abi: parseAbi(['error Error(string)']),
        errorName: 'Error',
        args: [reason],
      })
      expect(fromRevert(data, 'Trying')).toMatchObject({ code, retryable, figures: { reason } })
    })
  }

  for (const [what, data, reason] of [
    ['nothing', '0x', ''],
    ['an error that nobody knows', '0xdeadbeef', '0xdeadbeef'],
    ['a panic', `0x4e487b71${'11'.padStart(64, '0')}`, 'Panic(17)'],
    ['a known error that is cut off', '0x9acd5e11', '0x9acd5e11'],
  ] as const) {
    test(`behavior: ${what} is REVERTED`, () => {
      expect(fromRevert(data, 'Trying')).toMatchObject({ code: 'REVERTED', figures: { reason } })
    })
  }
})

describe('toChainError', () => {
  test('default: finds the data wherever a node or viem has put it', () => {
    const data = encodeErrorResult({ abi: spendPermissionManagerAbi, errorName: 'ZeroValue' })
    for (const error of [{ data }, { cause: { data } }, { cause: { cause: { data: { data } } } }]) {
      expect(toChainError(error, 'Trying')).toMatchObject({ code: 'ZERO_VALUE' })
    }
  })

  test('behavior: one of ours stays as it is', () => {
    const error = new ChainError('WRONG_CHAIN', 'Elsewhere.')
    expect(toChainError(error, 'Trying')).toBe(error)
  })

  test('behavior: anything else says nothing about the chain, and repeats nothing', () => {
    const error = toChainError(new Error('https://rpc.example/secret-key'), 'Trying')
    expect(error).toMatchObject({ code: 'RPC_FAILED', retryable: true })
    expect(error.message).not.toContain('secret-key')
  })
})

/** `ZeroERC20Token` is `ZERO_ERC20_TOKEN`. */
function screaming(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toUpperCase()
}
