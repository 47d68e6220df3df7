#!/usr/bin/env node
import { readFileSync, writeSync } from 'node:fs'
// solc from npm, in the shape that forge expects of a native compiler: `--version` and
// `--standard-json` on stdin; every other argument of forge's is ignored.
// The package's own entry copies the input to the WASM stack, which overflows on inputs of
// some megabytes, so the input is placed on the WASM heap instead.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const soljson = require('solc/soljson.js')

if (process.argv.includes('--version')) {
  const version = soljson.UTF8ToString(soljson._solidity_version())
  print(`solc, the solidity compiler\nVersion: ${version.replace('Emscripten.clang', 'Linux.g++')}\n`)
} else {
  print(compile(readFileSync(0, 'utf8')))
}

function compile(input) {
  const size = Buffer.byteLength(input) + 1
  const pointer = soljson._solidity_alloc(size)
  soljson.stringToUTF8(input, pointer, size)
  return soljson.UTF8ToString(soljson._solidity_compile(pointer, 0, 0))
}

function print(text) {
  const bytes = Buffer.from(text)
  for (let offset = 0; offset < bytes.length; ) {
    try {
      offset += writeSync(1, bytes, offset)
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error
    }
  }
}
