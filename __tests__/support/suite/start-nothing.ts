/** Loaded before each test file: in `npm run test:unit`, starting a program or a server is an error. */
import { afterAll, expect } from '@jest/globals';
import { startsNothing } from './selection.ts';

const { testPath = '' } = expect.getState();
/**
 * Node's modules are those of all test files of a worker. An import here would be Jest's copy for the whole file, made
 * before anything is restored.
 */
const childProcess = process.getBuiltinModule('node:child_process');
const { Server } = process.getBuiltinModule('node:net');
const owners = [
  [childProcess.ChildProcess.prototype, ['spawn']],
  [Server.prototype, ['listen']],
  [childProcess, ['spawnSync', 'execSync', 'execFileSync']],
] as const;
const replaced = Symbol.for('what start-nothing.ts replaced');

// Jest does not call afterAll in a file in which every test is skipped.
restore();
if (startsNothing(testPath)) {
  for (const [owner, names] of owners) refuse(owner, names);
  afterAll(restore);
}

function refuse(owner: object, names: readonly string[]): void {
  const before = Object.fromEntries(names.map((name) => [name, Reflect.get(owner, name) as unknown]));
  const error = (): never => {
    throw new Error('a unit test starts no program and no server: see __tests__/support/suite/selection.ts');
  };
  Object.assign(owner, Object.fromEntries(names.map((name) => [name, error])));
  Object.defineProperty(owner, replaced, { value: before, configurable: true });
}

function restore(): void {
  for (const [owner] of owners) {
    Object.assign(owner, Reflect.get(owner, replaced));
    Reflect.deleteProperty(owner, replaced);
  }
}
