/** The names of EC2 hosts, tested in TypeScript and in the shell. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseHostName } from '../../src/ec2/host-name.ts';
import { hostNames } from '../support/ec2-host-names.ts';

const helper = join(import.meta.dirname, '../../helper');

describe('the name of a host', () => {
  it.each(Object.entries(hostNames))('%s is the name of an EC2 host or not', (name, kind) => {
    expect(parseHostName(name)?.kind).toBe(kind);
  });

  it('has the same rule in the shell', () => {
    const scripts = readdirSync(helper).filter((name) => /^ssm-ssh(\.|-|$)/.test(name));
    const [rule] = scripts
      .map((name) => /^is_ec2_host\(\) \{$.*?^\}$/ms.exec(readFileSync(join(helper, name), 'latin1')))
      .filter((found) => found !== null);
    const script = `${rule?.[0] ?? ''}\nfor _ssm_host; do is_ec2_host && echo "$_ssm_host"; done; :`;
    const names = Object.keys(hostNames);
    const found = execFileSync('sh', ['-c', script, 'sh', ...names], { encoding: 'utf8' });
    expect(found.trim().split('\n')).toEqual(names.filter((name) => hostNames[name] !== undefined));
  });

  it('has its id in lower case and its tag unchanged', () => {
    expect(parseHostName('I-0123456789ABCDEF0')).toEqual({ kind: 'instance', id: 'i-0123456789abcdef0' });
    expect(parseHostName('Name=Web=1 ')).toEqual({ kind: 'tag', key: 'Name', value: 'Web=1 ' });
  });
});
