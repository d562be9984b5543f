/** ssh commands as people write them into git's configuration: helper/ssm-ssh and TypeScript tell in the same way whose they are. */
export const ourCommands: readonly string[] = [
  'ssm-ssh',
  'ssm-ssh -v',
  '/opt/ssm-ssh-agent/helper/ssm-ssh -o BatchMode=yes',
  "'/opt/my folder/ssm-ssh'",
  '"$HOME/bin/ssm-ssh" -v',
  "sh '/opt/helper/ssm-ssh'",
  'AWS_PROFILE=ci ssm-ssh',
  'AWS_PROFILE=ci exec ~/bin/ssm-ssh',
  'env AWS_PROFILE=ci\tssm-ssh\t-v',
  'A=1 B= exec env C=/usr/bin/ssh ssm-ssh',
  '"$(command -v ssm-ssh)" -v',
  '(ssm-ssh)',
  '`which ssm-ssh`',
];

/** Each names ~/.ssh/…-key, or is plain ssh with other options. */
export const foreignCommands: readonly string[] = [
  'ssh -v',
  'ssh -i ~/.ssh/ssm-ssh-deploy',
  'ssh -i ~/.ssh/ssm-ssh',
  '"/usr/bin/ssh" -i /keys/ssm-ssh',
  'ssh -i /opt/ssm-ssh-runner/_work/_temp/key',
  'ssh -i /opt/ssm-ssh/key',
  '"/usr/bin/ssh" -i "$RUNNER_TEMP/ssm-ssh.key" -o StrictHostKeyChecking=yes',
  'AWS_PROFILE=ssm-ssh-ci ssh -i /a/key',
  'AWS_X=1 ssh -i ~/.ssh/ssm-ssh',
  'exec ssh -i ~/.ssh/ssm-ssh',
  'A=* _b2=c=d exec\t/usr/bin/env E= "/usr/bin/ssh" -i /keys/ssm-ssh',
];
