/** One bundle for all programs that need Node, because they share the AWS SDK. The first argument is the program's name. */
import { toFailure, type Failure } from '../src/errors.ts';
import { onUnfinished } from '../src/deadline.ts';
import { markedName } from './error-mark.ts';
import { closedOutput, OutputClosed, writeError } from './write-text.ts';

const [, file = '', program, ...args] = process.argv;

/** ssh's own failures exit with 255, so ssm-ssh does the same. */
function fail(failure: Failure): never {
  writeError(`${failure.render(markedName(program ?? '', process.env))}\n`);
  process.exit(program === 'ssm-ssh' ? 255 : failure.exitCode);
}

onUnfinished(process, `${program ?? ''} ${args[0] ?? ''}`.trim(), fail);
// Every error is shown in two lines.
process.on('uncaughtException', (error) => {
  if (error instanceof OutputClosed) process.exit(closedOutput);
  fail(toFailure(error));
});

switch (program) {
  case 'ssm-ssh': {
    const { main } = await import('./ssm-ssh.ts');
    process.exit(await main(args, file));
    break;
  }
  case 'ssm-ssh-agent': {
    const { main } = await import('./ssm-ssh-agent.ts');
    process.exit(await main(args, file));
    break;
  }
  case 'git-credential-ssm': {
    const { main } = await import('./git-credential-ssm.ts');
    process.exit(await main(args));
    break;
  }
  case 'front': {
    const { main } = await import('./front.ts');
    process.exit(await main(args));
    break;
  }
  default:
    throw new TypeError(`there is no program ${program ?? ''}`);
}
