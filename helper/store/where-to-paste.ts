/** Where a public key is registered: GitHub, GitLab, Bitbucket, Azure DevOps, a server. Pure. */
import { quoteForShell } from '../../src/process/quote.ts';
import { visible } from '../../src/keys/visible-text.ts';

/**
 * @param line the public key, as in authorized_keys
 * @param title of the key on the page
 * @source GitHub REST API, "Create a deploy key": without `read_only` the key may write; GitLab API, "Deploy keys";
 *   Azure DevOps, "Use SSH key authentication": RSA keys only
 */
export function whereToPaste(line: string, title: string): string {
  const [key, name] = [quoteForShell(visible(line)), quoteForShell(visible(title))];
  const azure = line.startsWith('ssh-rsa ')
    ? 'User settings > SSH public keys > New key'
    : 'takes RSA keys only: make one with --type rsa';
  return `Paste the public key where it should open something:
  GitHub        the repository's Settings > Deploy keys > Add deploy key, or
                gh api repos/OWNER/REPO/keys -f title=${name} -F read_only=true -f key=${key}
  GitLab        the project's Settings > Repository > Deploy keys, or
                glab api projects/ID/deploy_keys -f title=${name} -f key=${key}
  Bitbucket     Repository settings > Access keys > Add key
  Azure DevOps  ${azure}
  a server      a line of its own in ~/.ssh/authorized_keys of the user who logs in
`;
}
