# shellcheck shell=sh
# Sets `node`: Node 20 or newer, or returns 1.
find_node() {
  for candidate in "${SSM_SSH_NODE-}" "${node-}" "$(command -v node 2>/dev/null)" /usr/local/bin/node /usr/bin/node; do
    if [ -n "$candidate" ] && [ -x "$candidate" ]; then
      node=$candidate
      return 0
    fi
  done
  return 1
}
