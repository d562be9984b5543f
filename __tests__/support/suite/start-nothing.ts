/** Loaded before each test file: in `npm run test:unit`, starting a program or a server is an error. */
import { ChildProcess } from 'node:child_process';
import childProcess from 'node:child_process';
import { Server } from 'node:net';
import { afterAll, expect } from '@jest/globals';
import { startsNothing } from './selection.ts';

const { testPath = '' } = expect.getState();
if (startsNothing(testPath)) {
  refuse(ChildProcess.prototype, ['spawn']);
  refuse(Server.prototype, ['listen']);
  refuse(childProcess, ['spawnSync', 'execSync', 'execFileSync']);
}

/** Restored after the file, because the next file of this worker uses the same Node modules. */
function refuse(owner: object, names: readonly string[]): void {
  const before = Object.fromEntries(names.map((name) => [name, Reflect.get(owner, name) as unknown]));
  const error = (): never => {
    throw new Error('a unit test starts no program and no server: see __tests__/support/suite/selection.ts');
  };
  Object.assign(owner, Object.fromEntries(names.map((name) => [name, error])));
  afterAll(() => {
    Object.assign(owner, before);
  });
}
