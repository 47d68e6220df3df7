// Runs a TypeScript script of this folder on a clone in any state: `node script/run.mjs demo.ts [args]`.
import { spawn } from 'node:child_process'
import { root, setup } from './setup.mjs'

const [script, ...args] = process.argv.slice(2)
if (!script) throw new Error('Usage: node script/run.mjs <script.ts> [args]')
setup()
const child = spawn(process.execPath, ['--import', 'tsx', `script/${script}`, ...args], {
  cwd: root,
  stdio: 'inherit',
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)))
