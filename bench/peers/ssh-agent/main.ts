/**
 * A stand-in for webfactory/ssh-agent 0.9: starts ssh-agent, adds the key with ssh-add, and lists the keys twice. The
 * action loads @actions/core 1, which loads these modules of Node; the stand-in loads them alone.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import 'node:crypto';
import 'node:http';
import 'node:https';

const { env, stdout } = process;
stdout.write('Starting ssh-agent\n');
const variables = execFileSync('ssh-agent', { encoding: 'utf8' }).matchAll(
  /^(SSH_AUTH_SOCK|SSH_AGENT_PID)=(.*); export \1/gm,
);
for (const [, name = '', value = ''] of variables) {
  env[name] = value;
  appendFileSync(env['GITHUB_ENV'] ?? '', `${name}=${value}\n`);
}
stdout.write('Adding private key(s) to agent\n');
for (const key of (env['INPUT_SSH-PRIVATE-KEY'] ?? '').split(/(?=-----BEGIN)/))
  execFileSync('ssh-add', ['-'], { input: `${key.trim()}\n` });
execFileSync('ssh-add', ['-l'], { stdio: 'inherit' });
stdout.write(execFileSync('ssh-add', ['-L'], { encoding: 'utf8' }));
