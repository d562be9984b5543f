/** That the shell reads what Node has compiled as it was meant, and compares the same text. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseScoped } from '../../src/git/listing.ts';
import { askedSettings, compile, textOf } from '../../src/host/compile.ts';
import { surroundings } from '../../src/host/key-name.ts';
import { renderAnswer, renderKept } from '../../src/host/shell-answer.ts';
import { listing } from '../support/listing.ts';

const byGit = { byGit: true, jobRegion: '' };
const byHand = { byGit: false, jobRegion: '' };

describe('what the shell makes of it', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'compile-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('is the text that Node makes of the same configuration, and its list of surroundings', () => {
    const script = readFileSync(
      join(dirname(dirname(import.meta.dirname)), 'helper/ssm-ssh-host.sh'),
      'utf8',
    );
    const [, list = ''] = /for _ssm_name in ([A-Z0-9_ \\\n]+);/.exec(script) ?? [];
    expect(list.split(/[\s\\]+/).filter(Boolean)).toEqual(surroundings);
    writeFileSync(
      join(folder, '.gitconfig'),
      `[ssm]\nkey\nregion =\nvia = a  b "c;"\n[ssm "GitHub.com/A'b $HOME \`x\`"]\nkey = /x\n[core]\nsshCommand = "x 'y' \\\\z"\n`,
    );
    const env = {
      ...{
        PATH: process.env['PATH'] ?? '',
        HOME: folder,
        GIT_CONFIG_NOSYSTEM: '1',
        AWS_PROFILE: "it's",
        AWS_REGION: '',
      },
      ...{ GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'ssm.timeout', GIT_CONFIG_VALUE_0: '5s' },
    };
    const git = (...args: string[]): string =>
      execFileSync('git', ['config', '--show-scope', ...args, '--get-regexp', askedSettings], {
        ...{ cwd: folder, env, encoding: 'utf8' },
      });
    mkdirSync(join(folder, '.aws'));
    writeFileSync(join(folder, '.aws/credentials'), '');
    const connection = { ...byHand, awsFiles: [join(folder, '.aws/credentials')] };
    const text = textOf({ entries: parseScoped(git('-z')), scoped: true }, env, connection);
    const shell = script.slice(
      script.indexOf('render_text() {'),
      script.indexOf('# Whether it was compiled before'),
    );
    const rendered = execFileSync(
      'sh',
      [
        '-uc',
        `_ssm_newline='\n' _ssm_repository='' _ssm_job_region='' _ssm_listed=$1\n${shell}\nrender_text; printf %s "$_ssm_text"`,
        'sh',
        git().trimEnd(),
      ],
      { env, encoding: 'utf8' },
    );
    expect(rendered).toBe(text);
  });

  it('are the values that were meant, whatever is in them, where the text is the same', () => {
    const odd = `a'b"c$HOME\`id\`\\ *[x] #;&|<>(){}~ é€`;
    const compiled = compile(
      listing(
        ...[`global ssm.knownhosts = ${odd}`, `global core.sshcommand = ${odd}`, `global ssm.via = ${odd}`],
        ...[
          'global ssm.github.com/a b.key = /x',
          'global ssm.rolearn = r1',
          'global ssm.rolearn = r2',
          'global ssm.key = /d',
        ],
      ),
      {},
      byGit,
    );
    const file = join(folder, 'kept');
    writeFileSync(file, renderKept(odd, renderAnswer(compiled, '/state')));
    const printed = (text: string): string[] => {
      const script = `_ssm_text=$1 _ssm_set_found=''
        . "$2"
        [ -n "$_ssm_set_found" ] || exit 3
        eval "set -- $_ssm_set_place_0"
        printf '%s\\0' "$_ssm_set_known" "$_ssm_set_command" "$_ssm_set_routes" "$_ssm_set_key_1" "$@"`;
      const { status, stdout } = spawnSync('sh', ['-uc', script, 'sh', text, file], { encoding: 'utf8' });
      return status === 0 ? stdout.split('\0').slice(0, -1) : [String(status)];
    };
    expect(printed(odd)).toEqual([
      ...[
        `"${odd}" `,
        odd,
        '0 protected github.com 22 a b\n1 protected -',
        `/state/keys/${compiled.keys[1]?.name ?? ''}`,
      ],
      ...['--timeout=30s', `--via=${odd}`, '--role-arn=r1', '--role-arn=r2'],
    ]);
    expect(printed(`${odd} `)).toEqual(['3']);
  });
});
