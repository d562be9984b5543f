/** Sections of git's configuration that name EC2 hosts. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { compile } from '../../src/host/compile.ts';
import { ec2Sections, findEc2Section } from '../../src/host/ec2-places.ts';
import { renderAnswer } from '../../src/host/shell-answer.ts';

const id = 'i-0123456789abcdef0';
const entries = [
  ['ssm.Name=web-1.region', 'eu-west-2'],
  [`ssm.${id.toUpperCase()}.via`, 'direct'],
  [`ssm.${id}:2222.timeout`, '2m'],
  ['ssm.mi-0123456789abcdef0.rolearn', 'arn:x'],
  [`ssm.${id}/acme/lib.region`, 'us-east-1'],
  ['ssm.github.com.region', 'us-east-1'],
  ["ssm.Name=it's.region", 'eu-west-3'],
  ['ssm.no host.region', 'us-east-1'],
  ['ssm.i-01234567.key', '/ci/key'],
] as const;
const settings = new Map(entries.map(([name, value]) => [name, [value]]));

describe('the sections that name EC2 hosts', () => {
  const sections = ec2Sections(settings);

  it('are those of ids and tags, with a setting of the place', () => {
    const found = sections.map(({ host, port }) => `${host}:${port}`);
    expect([...found.slice(0, 3).sort(), ...found.slice(3).sort()]).toEqual([
      ...[`${id}:2222`, 'mi-0123456789abcdef0:22', `${id}:22`].sort(),
      ...["Name=it's:22", 'Name=web-1:22'],
    ]);
  });

  it.each([
    [id, 22, id.toUpperCase()],
    [id.toUpperCase(), 22, id.toUpperCase()],
    [id, 2222, `${id}:2222`],
    [id, 23, undefined],
    ['Name=web-1', 2222, 'Name=web-1'],
    ['Name=Web-1', 22, undefined],
    ['github.com', 22, undefined],
  ])('are found by the host as typed: %s, port %d', (named, port, section) => {
    expect(findEc2Section(sections, { named, port })?.section).toBe(section);
  });

  it('say the shell the place of the host, its id before the tag that was typed', () => {
    const compiled = compile(
      { entries: entries.map(([name, value]) => ({ name, value, scope: 'global' })) },
      {},
      { byGit: true, jobRegion: 'eu-north-1' },
    );
    const answer = renderAnswer(compiled, '/state');
    const placeOf = (host: string, named: string, port: string): string =>
      spawnSync(
        'sh',
        [
          '-uc',
          `${answer}\n_ssm_host=$1 _ssm_named=$2 _ssm_port=$3 _ssm_place=$_ssm_set_place; eval "$_ssm_set_place_of_host"; eval "set -- $_ssm_place"; echo "$@"`,
          ...['sh', host, named, port],
        ],
        { encoding: 'utf8' },
      ).stdout.trim();
    expect(placeOf(id, 'Name=web-1', '22')).toBe('--timeout=30s --via=direct --region=eu-north-1');
    expect(placeOf(id, 'Name=web-1', '2222')).toBe('--timeout=2m --region=eu-north-1');
    expect(placeOf('i-01234567', 'Name=web-1', '22')).toBe('--timeout=30s --region=eu-west-2');
    expect(placeOf("name=it's", "Name=it's", '22')).toBe('--timeout=30s --region=eu-west-3');
    expect(placeOf('i-01234567', 'i-01234567', '22')).toBe('--timeout=30s --region=eu-north-1');
  });
});
