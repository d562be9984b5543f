/** Loaded before each file of `npm run test:unit`: a program or a server there is an error. */
import { ChildProcess } from 'node:child_process';
import childProcess from 'node:child_process';
import { Server } from 'node:net';

const refuse = (): never => {
  throw new Error('a unit test starts no program and no server: see __tests__/support/suite/selection.ts');
};
Object.assign(ChildProcess.prototype, { spawn: refuse });
Object.assign(Server.prototype, { listen: refuse });
Object.assign(childProcess, { spawnSync: refuse, execSync: refuse, execFileSync: refuse });
