/** The folders whose pure files are tried as a whole. */
export const wholeFolders = ['keys', 'aws', 'host', 'ssh', 'git', 'kms', 'ec2/session-manager'].map(
  (name) => `src/${name}`,
);
