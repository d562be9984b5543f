/** The command that installs a package, with the package manager of this machine. */
import { userId } from '../../src/process/account.ts';
import { programOnPath } from './find-program.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const managers: readonly (readonly [program: string, command: string, openssh: string])[] = [
  ['apt-get', 'apt-get install -y', 'openssh-client'],
  ['dnf', 'dnf install -y', 'openssh-clients'],
  ['yum', 'yum install -y', 'openssh-clients'],
  ['apk', 'apk add', 'openssh-client'],
  ['zypper', 'zypper install -y', 'openssh-clients'],
  ['pacman', 'pacman -S --noconfirm', 'openssh'],
];

/** @returns a command, or a sentence if no package manager is known here */
export function installCommand(wanted: 'git' | 'openssh', env: Environment): string {
  const found = managers.find(([program]) => programOnPath(program, env) !== undefined);
  if (!found)
    return wanted === 'git' ? 'install git 2.26 or newer' : "install OpenSSH's client, 8.4 or newer";
  const [, command, openssh] = found;
  return asRoot(`${command} ${wanted === 'git' ? 'git' : openssh}`);
}

/** The command to set the clock, with the service of this machine. */
export function clockCommand(env: Environment): string {
  const has = (program: string): boolean => programOnPath(program, env) !== undefined;
  if (has('timedatectl')) return asRoot('timedatectl set-ntp true');
  if (has('chronyc')) return asRoot('chronyc makestep');
  return 'set the clock of this machine; in a container, that of its host';
}

export function asRoot(command: string): string {
  return userId() === 0 ? command : `sudo ${command}`;
}
