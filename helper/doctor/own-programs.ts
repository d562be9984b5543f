/** The programs of this installation, as remedies name them. Pure. */
import { helperOf } from '../../src/git/credential-settings.ts';
import { quoteForShell } from '../../src/process/quote.ts';

export class OwnPrograms {
  /** `ssm-ssh-agent`, as a word of sh. */
  readonly agent: string;
  /** `ssm-ssh`, as a word of sh: a value of core.sshCommand. */
  readonly ssh: string;
  /** `git-credential-ssm`, as a value of credential.helper. */
  readonly helper: string;

  /** @param installation the folder of the package */
  constructor(installation: string) {
    this.agent = quoteForShell(`${installation}/helper/ssm-ssh-agent`);
    this.ssh = quoteForShell(`${installation}/helper/ssm-ssh`);
    this.helper = helperOf(`${installation}/helper/git-credential-ssm`);
  }
}
