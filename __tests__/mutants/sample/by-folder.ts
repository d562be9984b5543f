/** Which tests with programs are about a folder or a file of the shell. The first row that fits counts. */

type Row = readonly [place: string, tests: RegExp];

const ofJobs =
  /e2e\/(job\/|calls|cancel|restrictions|routing|runner|scenarios\/main-job|sessions|ssh-config|whole-workflow)/;

const rows: readonly Row[] = [
  ['src/action/', ofJobs],
  ['src/aws/', /\/aws\/|e2e\/(calls|co.*-credentials|credential-sources|endpoints|regions|role|session)/],
  ['src/ec2/', /\/ec2\/|e2e\/(ec2-job|proxy)/],
  ['src/git/', /\/git\/|e2e\/(credential\/|routing|setup)/],
  ['src/github/', /\/github|e2e\/(rotate\.|scenarios\/rotation)/],
  ['src/gitlab/', /\/gitlab|e2e\/rotate/],
  ['src/host/', /\/host\/|e2e\/(certif|github-app|kms\/|policy)/],
  ['src/keys/', /\/keys\/|e2e\/(add|certif|keygen)/],
  ['src/kms/', /kms/],
  ['src/process/', /\/process\/|e2e\/exec/],
  ['src/secrets/', /\/secrets\/|e2e\/(host\/cache|put|refusals|rotate|scenarios\/|secrets-calls)/],
  ['src/ssh/', /\/ssh\/|e2e\/(add|exec|host\/agent|host-|misbehaving|ssh-config)/],
  ['src/main.ts', ofJobs],
  ['src/post.ts', ofJobs],
  ['src/runner.ts', /runner|e2e\/(calls|job\/)/],
  ['src/', /deadline|http|e2e\/(calls|faults|host\/hangs|rotate)/],
  ['helper/add/', /e2e\/.*add|misbehaving/],
  ['helper/certify/', /certif/],
  ['helper/choose/', /helper\/s|e2e\/(ec2\/choices|host\/|kms\/host|routing)/],
  ['helper/command-line/', /helper\/(command-line|program)|e2e\/(add|exec|keygen|policy|public|put|setup)\./],
  ['helper/commands/choose.ts', /helper\/s|e2e\/(ec2\/choices|host\/|kms\/host|routing)/],
  ['helper/commands/credential.ts', /credential/],
  ['helper/commands/proxy.ts', /helper\/proxy|e2e\/(ec2\/|proxy)/],
  ['helper/commands/tunnel.ts', /e2e\/(ec2\/|ec2-job|proxy)/],
  ['helper/commands/', /e2e\/(add|exec|keygen|policy|public|put|setup)\./],
  ['helper/credential/', /credential/],
  ['helper/doctor/', /doctor/],
  ['helper/exec/', /exec/],
  ['helper/explain/', /explain/],
  ['helper/front', /kms\//],
  ['helper/policy/', /policy/],
  ['helper/proxy/', /helper\/proxy|e2e\/(ec2\/|proxy)/],
  ['helper/public/', /public|keygen/],
  ['helper/rotate/', /rotat/],
  ['helper/setup/', /setup/],
  ['helper/store/', /e2e\/(keygen|make-and|put|scenarios\/(made|stored))/],
  ['helper/find-node.sh', /helper\/(find-node|launchers)|e2e\/(install|setup-files)/],
  ['helper/git-credential-ssm', /e2e\/credential\/|helper\/launchers/],
  ['helper/launch.sh', /helper\/launchers|e2e\/(credential\/|exec|install)/],
  ['helper/ssm-ssh-agent', /helper\/launchers|e2e\/(add|exec)/],
  ['helper/ssm-ssh-ask.sh', /helper\/|e2e\/(clients|host\/|kms\/host|routing)/],
  ['helper/ssm-ssh-ec2.sh', /helper\/|e2e\/(ec2\/|ec2-job\/)/],
  ['helper/ssm-ssh-host.sh', /helper\/|e2e\/(beyond-routes|host\/|kms\/host)/],
  ['helper/ssm-ssh-job.sh', /helper\/|e2e\/(beyond-routes|checkout|job\/|kms\/job|neighbours|routing)/],
  ['helper/ssm-ssh-keeper.sh', /helper\/agent-of-caller|e2e\/host\/(agent|at-once|state)/],
  ['helper/ssm-ssh-sign', /e2e\/signing|helper\/explain-signing/],
  ['helper/', /helper\/|e2e\/(clients|ec2\/|host\/|host-keys|job\/|neighbours|routing)/],
];

export function isAbout(test: string, file: string): boolean {
  return rows.find(([place]) => file.startsWith(place))?.[1].test(test) ?? false;
}
