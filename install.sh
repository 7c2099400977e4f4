#!/bin/sh
# Builds Chatrix from this checkout and installs it with its shell completions and man pages. Touches no shell start-up
# file.
set -eu

usage() {
    cat <<'USAGE'
Usage: ./install.sh [--prefix DIR] [--uninstall] [--help]

Builds Chatrix from this checkout and installs, below DIR (default ~/.local):
  bin/chatrix
  share/bash-completion/completions/chatrix
  share/zsh/site-functions/_chatrix
  share/fish/vendor_completions.d/chatrix.fish
  share/man/man1/chatrix.1, and a page for each command

  --prefix DIR   install below DIR
  --uninstall    remove these files
  --help         show this text

Needs a Rust toolchain and a C compiler. No start-up file is changed.
USAGE
}

say() { printf '%s\n' "$*" >&2; }
fail() {
    say "error: $*"
    exit 1
}

prefix=${HOME:-}/.local
action=install
while [ $# -gt 0 ]; do
    case $1 in
        --prefix)
            [ $# -ge 2 ] || fail "--prefix needs a directory"
            prefix=$2
            shift
            ;;
        --prefix=*) prefix=${1#--prefix=} ;;
        --uninstall) action=uninstall ;;
        --help | -h)
            usage
            exit 0
            ;;
        *)
            usage >&2
            fail "unknown argument: $1"
            ;;
    esac
    shift
done
[ -n "$prefix" ] || fail "--prefix is empty"

# A relative prefix is relative to the current directory, not to the checkout.
case $prefix in
    /*) ;;
    *) prefix=$PWD/$prefix ;;
esac
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

bin=$prefix/bin/chatrix
bash_completion=$prefix/share/bash-completion/completions/chatrix
zsh_completion=$prefix/share/zsh/site-functions/_chatrix
fish_completion=$prefix/share/fish/vendor_completions.d/chatrix.fish
man=$prefix/share/man/man1

if [ "$action" = uninstall ]; then
    for file in "$bin" "$bash_completion" "$zsh_completion" "$fish_completion" \
        "$man/chatrix.1" "$man"/chatrix-*.1; do
        if [ -e "$file" ]; then
            rm -f -- "$file"
            say "removed $file"
        fi
    done
    exit 0
fi

command -v cargo >/dev/null 2>&1 || fail "cargo was not found; install Rust first (https://rustup.rs)"
command -v cc >/dev/null 2>&1 || fail "no C compiler (cc) was found; the TLS library needs one"

say "building Chatrix; the first build takes a few minutes"
(cd "$here" && cargo install --quiet --path . --locked --no-track --force --root "$prefix") || fail "the build failed"

copy() {
    mkdir -p -- "$(dirname -- "$2")"
    cp -- "$here/completions/$1" "$2"
}
copy chatrix.bash "$bash_completion"
copy _chatrix "$zsh_completion"
copy chatrix.fish "$fish_completion"

"$bin" man --to "$man" || fail "the man pages could not be written"

say "installed $bin ($("$bin" --version)), man pages, and completions for bash, zsh and fish"
case :${PATH:-}: in
    *:"$prefix/bin":*) ;;
    *) say "add it to your PATH:  export PATH=\"$prefix/bin:\$PATH\"" ;;
esac
say "try it:  chatrix ask --offline \"hello\""
