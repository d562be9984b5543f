/** A compiled configuration as helper/ssm-ssh reads it: shell assignments. Pure. */
import { parseLifetime } from '../keys/lifetime.ts';
import { renderRoutes } from '../keys/routes.ts';
import { quoted } from '../process/quote.ts';
import { sshPath } from '../ssh/ssh-path.ts';
import { isTag } from './ec2-places.ts';
import { placesOf, type Compiled } from './compile.ts';
import type { HostSettings } from './settings.ts';

/** Shell assignments. `state` is the agent's folder. */
export function renderAnswer(compiled: Compiled, state: string): string {
  const routes = compiled.keys.map(({ pattern, isProtected }) => ({
    fingerprint: isProtected ? 'protected' : 'repository',
    repositories: pattern ? [pattern] : [],
  }));
  const known = compiled.knownHosts === '' ? '' : `${sshPath(compiled.knownHosts)} `;
  const names = {
    state,
    routes: renderRoutes(routes).trimEnd(),
    ...{ command: compiled.command, known, strict: compiled.strict },
    hosts: `${sshPath(`${state}/known_hosts`)} ${sshPath(`${state}/pinned_hosts`)} ${known}~/.ssh/known_hosts ~/.ssh/known_hosts2`,
    ...{ ec2: compiled.ec2Remotes ? 'yes' : '', told: told(compiled).join('\n') },
    place: wordsOf(compiled.place),
    place_of_host: choiceOf(compiled),
    ...Object.fromEntries(
      compiled.keys.flatMap((key, number) => {
        const { folder, agent } = placesOf(key, state);
        return [
          [`key_${number}`, folder],
          [`socket_${number}`, agent],
          [
            `identity_${number}`,
            `${option('IdentityAgent', agent)} ${option('IdentityFile', `${folder}/key.pub`)}`,
          ],
          [`certificate_${number}`, option('CertificateFile', `${folder}/key-cert.pub`)],
          [`place_${number}`, wordsOf(key.place)],
          [`limit_${number}`, secondsOf(key.place)],
        ];
      }),
    ),
  };
  return Object.entries(names)
    .map(([name, value]) => `_ssm_set_${name}=${quoted(value)}\n`)
    .join('');
}

/** Quoted words for the shell. */
function option(name: string, path: string): string {
  return `-o ${quoted(`${name}=${sshPath(path)}`)}`;
}

/** An invalid duration becomes 1 second here. Node reports it as an error later. */
function secondsOf({ timeout }: HostSettings): string {
  return String(Math.max(1, parseLifetime(timeout) ?? 1));
}

/** Quoted words for the shell: the settings of EC2 hosts as options. */
function wordsOf({ region, roles, timeout, via }: HostSettings): string {
  const words = [
    `--timeout=${timeout}`,
    ...(via === undefined ? [] : [`--via=${via}`]),
    ...(region === undefined ? [] : [`--region=${region}`]),
    ...roles.map((role) => `--role-arn=${role}`),
  ];
  return words.map(quoted).join(' ');
}

/** Shell code that sets `_ssm_place` if a section names the EC2 host, by its id or by the tag that was typed. */
function choiceOf({ ec2Places }: Compiled): string {
  const cases = ec2Places.map(({ host, port, place }) => {
    const word = isTag(host) ? '$_ssm_named' : '$_ssm_host:$_ssm_port';
    const named = quoted(isTag(host) ? host : `${host}:${port}`);
    return `case ${word} in ${named}) _ssm_place=${quoted(wordsOf(place))} ;; `;
  });
  return cases.length === 0 ? '' : `${cases.join('*) ')}${'esac; '.repeat(cases.length)}`;
}

/** A file that the shell sources the next time. */
export function renderKept(text: string, answer: string): string {
  return `case $_ssm_text in\n${quoted(text)})\n${answer}_ssm_set_found=1\n;;\nesac\n`;
}

/** Lines for standard error. */
function told({ ignored, warnings }: Compiled): string[] {
  const lines = ignored.map(
    (name) => `ssm-ssh: warning: ${name} of the repository's own configuration is ignored`,
  );
  const hint = 'hint: set it with git config --global or --system, or set its environment variable';
  return [...lines, ...(lines.length > 0 ? [hint] : []), ...warnings.map((text) => `ssm-ssh: ${text}`)];
}
