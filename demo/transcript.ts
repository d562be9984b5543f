/** Converts a recorded job to text for people. Pure. */
import type { Left, Play, Step } from './play.ts';

/** @param bold formats a heading for this terminal */
export function transcript({ world, inputs, steps, ...rest }: Play, bold: (text: string) => string): string {
  const [main, git, post] = steps;
  return [
    bold('A private repository, its deploy key in Parameter Store, and one step of a workflow'),
    '',
    `  AWS       ${world.aws}, account ${world.account}, region ${world.region} (local)`,
    `  role      ${world.role}, trusts repo acme/app on main, reads /ci/*`,
    `  key       ${String(inputs['keys'])}, a SecureString, ${world.fingerprint}`,
    `  git host  ${world.repository} (local, ${world.gitHost})`,
    '',
    bold('The step'),
    '',
    '  - uses: OWNER/ssm-ssh-agent@v1',
    '    with:',
    ...Object.entries(inputs).map(([name, value]) => `      ${name}: ${value}`),
    '',
    ...(main ? stepLines(main, bold) : []),
    bold('What was called at AWS'),
    '',
    ...rest.awsCalls.map(({ operation, status, detail }) => `  ${String(status)} ${operation}  ${detail}`),
    '',
    bold('What the next steps see'),
    '',
    ...Object.entries(rest.exported).map(([name, value]) => `  ${name}=${value}`),
    ...leftLines(rest.during),
    '',
    ...(git ? stepLines(git, bold) : []),
    bold('What the git host saw'),
    '',
    ...rest.connections.map(({ key, command, verdict }) => `  ${key}  ${command}  ${verdict}`),
    '',
    ...(post ? stepLines(post, bold) : []),
    bold('What is left'),
    '',
    ...leftLines(rest.left),
    '',
    rest.ok ? 'The job succeeded, and nothing is left of it.' : 'The job did not behave as expected.',
    '',
  ].join('\n');
}

function stepLines({ name, log, milliseconds, ok }: Step, bold: (text: string) => string): string[] {
  const title = `${name[0]?.toUpperCase() ?? ''}${name.slice(1)} (${milliseconds} ms${ok ? '' : ', failed'})`;
  return [bold(title), '', ...log.split('\n').map((line) => `  ${line}`.trimEnd()), ''];
}

function leftLines({ processes, files }: Left): string[] {
  const list = (items: readonly string[]): string =>
    items.length === 0 ? 'none' : items.join('\n             ');
  return [`  processes  ${list(processes)}`, `  files      ${list(files)}`];
}
