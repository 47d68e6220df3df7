/** The error of a class that `run` throws; fails where it throws nothing, or something else. */
export function thrown<error extends Error>(
  type: new (...args: never[]) => error,
  run: () => unknown,
): error {
  try {
    run()
  } catch (error) {
    if (error instanceof type) return error
    throw error
  }
  throw new Error(`Expected a ${type.name}, but nothing was thrown.`)
}
