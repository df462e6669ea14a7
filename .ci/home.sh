# A scratch shop folder for tools that import Django's settings (types, migrations). Usage: . .ci/home.sh
export TROTH_HOME="${TROTH_HOME:-$PWD/build/tool-home}"
mkdir -p "$TROTH_HOME"
[ -f "$TROTH_HOME/troth.toml" ] || printf '[shop]\nmode = "test"\n' > "$TROTH_HOME/troth.toml"
[ -f "$TROTH_HOME/web.key" ] || printf 'only-for-tools-%s' "$(head -c 32 /dev/urandom | base64 | tr -d '/+=\n')" > "$TROTH_HOME/web.key"
