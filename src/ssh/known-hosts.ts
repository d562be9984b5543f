/** The known_hosts file for our connections: the user's lines and the pinned keys. Pure. */
import { Failure } from '../errors.ts';
import { WireReader } from '../keys/wire.ts';

/** @source sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT" */
const markers: ReadonlySet<string> = new Set(['@cert-authority', '@revoked']);
const hostPatterns = /^(\|1\|[A-Za-z0-9+/=]+\|[A-Za-z0-9+/=]+|[^\s,|]+(,[^\s,|]+)*)$/;

/**
 * @param lines of the user, in known_hosts form; blank lines and comments are removed
 * @returns the file's text. The user's lines are first for readers of the file; ssh accepts any match.
 * @throws KNOWN_HOSTS_INVALID naming the line
 */
export function renderKnownHosts(lines: string): string {
  const pinned = pinnedHosts.flatMap(({ names, keys }) => keys.map((key) => `${names.join(',')} ${key}`));
  return [...parseLines(lines), ...pinned, ''].join('\n');
}

function parseLines(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/).map((line, index) => ({ line: line.trim(), number: index + 1 }));
  const written = lines.filter(({ line }) => line !== '' && !line.startsWith('#'));
  for (const { line, number } of written) checkLine(line, number);
  return written.map(({ line }) => line.split(/\s+/).join(' '));
}

function checkLine(line: string, number: number): void {
  const fields = line.split(/\s+/);
  const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined;
  if (marker !== undefined && !markers.has(marker)) {
    throw invalid(number, `has the unknown marker ${marker}`, 'the markers are @cert-authority and @revoked');
  }
  const [hosts = '', type = '', key = ''] = fields;
  if (key === '') throw invalid(number, 'has fewer than three fields', form);
  if (!hostPatterns.test(hosts)) throw invalid(number, 'does not begin with host names', form);
  if (typeOf(key) !== type) {
    throw invalid(number, `has no ${type} key in its third field`, form);
  }
}

/** The type at the start of a key's wire form; undefined if the key is incomplete. ssh silently skips such a line. */
function typeOf(key: string): string | undefined {
  const blob = Buffer.from(key, 'base64');
  if (blob.toString('base64') !== key) return undefined;
  try {
    const fields = new WireReader(blob);
    const type = fields.string().toString('latin1');
    do fields.string();
    while (fields.rest.length > 0);
    return type;
  } catch {
    return undefined; // Incomplete.
  }
}

const form =
  'write HOST TYPE KEY, as ssh-keyscan HOST prints it (compare its fingerprint with what the host publishes)';

function invalid(number: number, problem: string, hint: string): Failure {
  return new Failure('KNOWN_HOSTS_INVALID', `known-hosts, line ${number}: the line ${problem}`, { hint });
}

/*
 * Host keys of the public git hosts. Each host publishes them with their fingerprints, which a test recomputes.
 * GitHub's RSA key is of March 2023 and Bitbucket's of June 2023: the keys before them leaked.
 */

const github = [
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl',
  'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=',
  'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQCj7ndNxQowgcQnjshcLrqPEiiphnt+VTTvDP6mHBL9j1aNUkY4Ue1gvwnGLVlOhGeYrnZaMgRK6+PKCUXaDbC7qtbW8gIkhL7aGCsOr/C56SJMy/BCZfxd1nWzAOxSDPgVsmerOBYfNqltV9/hWCqBywINIR+5dIg6JTJ72pcEpEjcYgXkE2YEFXV1JHnsKgbLWNlhScqb2UmyRkQyytRLtL+38TGxkxCflmO+5Z8CSSNY7GidjMIZ7Q4zMjA2n1nGrlTDkzwDCsw+wqFPGQA179cnfGWOWRVruj16z6XyvxvjJwbz0wQZ75XK5tKSb7FNyeIEs4TT4jk+S4dhPeAUC5y+bDYirYgM4GC7uEnztnZyaVWQ7B381AK4Qdrwt51ZqExKbQpTUNn+EjqoTwvqNj4kqx5QUCI0ThS/YkOxJCXmPUWZbhjpCg56i+2aB6CmK2JGhn57K5mj0MNdBXA4/WnwH6XoPWJzK5Nyu2zB3nAZp+S5hpQs+p1vN1/wsjk=',
];

const gitlab = [
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfuCHKVTjquxvt6CM6tdG4SLp1Btn/nOeHHE5UOzRdf',
  'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBFSMqzJeV9rUzU4kWitGjeR4PWSa29SPqJ1fVkhtj3Hw9xjLVXVYrU9QlYWrOLXBpQ6KWjbjTDTdDkoohFzgbEY=',
  'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCsj2bNKTBSpIYDEGk9KxsGh3mySTRgMtXL583qmBpzeQ+jqCMRgBqB98u3z++J1sKlXHWfM9dyhSevkMwSbhoR8XIq/U0tCNyokEi/ueaBMCvbcTHhO7FcwzY92WK4Yt0aGROY5qX2UKSeOvuP4D6TPqKF1onrSzH9bx9XUf2lEdWT/ia1NEKjunUqu1xOB/StKDHMoX4/OKyIzuS0q/T1zOATthvasJFoPrAjkohTyaDUz2LN5JoH839hViyEG82yB+MjcFV5MU3N1l1QL3cVUCh93xSaua1N85qivl+siMkPGbO5xR/En4iEY6K2XPASUEMaieWVNTRCtJ4S8H+9',
];

const bitbucket = [
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIazEu89wgQZ4bqs3d63QSMzYVa0MuJ2e2gKTKqu+UUO',
  'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBPIQmuzMBuKdWeF4+a2sjSSpBK0iqitSQ+5BM9KhpexuGt20JpTVM7u5BDZngncgrqDMbWdxMWWOGtZ9UgbqgZE=',
  'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQDQeJzhupRu0u0cdegZIa8e86EG2qOCsIsD1Xw0xSeiPDlCr7kq97NLmMbpKTX6Esc30NuoqEEHCuc7yWtwp8dI76EEEB1VqY9QJq6vk+aySyboD5QF61I/1WeTwu+deCbgKMGbUijeXhtfbxSxm6JwGrXrhBdofTsbKRUsrN1WoNgUa8uqN1Vx6WAJw1JHPhglEGGHea6QICwJOAr/6mrui/oB7pkaWKHj3z7d1IC4KWLtY47elvjbaTlkN04Kc/5LFEirorGYVbt15kAUlqGM65pk6ZBxtaO3+30LVlORZkxOh+LKL/BvbZ/iRNhItLqNyieoQj/uh/7Iv4uyH/cV/0b4WDSd3DptigWq84lJubb9t/DnZlrJazxyDCulTmKdOR7vs9gMTo+uoIrPSb8ScTtvw65+odKAlBj59dhnVp9zd7QUojOpXlL62Aw56U4oO+FALuevvMjiWeavKhJqlR7i5n9srYcrNV7ttmDw7kf/97P5zauIhxcjX+xHv4M=',
];

const azureDevOps = [
  'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7Hr1oTWqNqOlzGJOfGJ4NakVyIzf1rXYd4d7wo6jBlkLvCA4odBlL0mDUyZ0/QUfTTqeu+tm22gOsv+VrVTMk6vwRU75gY/y9ut5Mb3bR5BV58dKXyq9A9UeB5Cakehn5Zgm6x1mKoVyf+FFn26iYqXJRgzIZZcZ5V6hrE0Qg39kZm4az48o0AUbf6Sp4SLdvnuMa2sVNwHBboS7EJkm57XQPVU3/QpyNLHbWDdzwtrlS+ez30S3AdYhLKEOxAG8weOnyrtLJAUen9mTkol8oII1edf7mWWbWVf0nBmly21+nZcmCTISQBtdcyPaEno7fFQMDD26/s0lfKob4Kw8H',
];

/** The host's names in known_hosts form → `TYPE BASE64` of each host key. */
export const pinnedHosts: readonly { readonly names: readonly string[]; readonly keys: readonly string[] }[] =
  [
    { names: ['github.com', '[ssh.github.com]:443'], keys: github },
    { names: ['gitlab.com', '[altssh.gitlab.com]:443'], keys: gitlab },
    { names: ['bitbucket.org', 'altssh.bitbucket.org', '[altssh.bitbucket.org]:443'], keys: bitbucket },
    { names: ['ssh.dev.azure.com', 'vs-ssh.visualstudio.com'], keys: azureDevOps },
  ];
