#!/usr/bin/zsh -f
# SPDX-License-Identifier: MIT
#
# complete.zsh DIR LINE: what an interactive zsh that finds completions in DIR offers at the end of
# LINE, a word a line. The shell runs in a terminal of its own; what is added as a match there is
# printed to a file.

zmodload zsh/zpty || exit 2
dir=$1
line=$2
out=$(mktemp) || exit 2

cat >$out.rc <<END
PS1=
fpath=($dir \$fpath)
autoload -Uz compinit
compinit -C -d $dir/dump
compadd()
{
    local -a hits

    # With these it is only asked what would match.
    if (( \${@[(I)-[ODA]]} )); then
        builtin compadd "\$@"
        return
    fi
    builtin compadd -A hits "\$@"
    (( ! \$#hits )) || print -rl -- \$hits >>$out
    builtin compadd "\$@"
}
print_end() { print done >$out.end; exit }
comppostfuncs=(print_end)
bindkey '^I' complete-word
zstyle ':completion:*' list-prompt ''
LISTMAX=100000
END
zpty -b shell zsh -f -i
zpty -w shell "source $out.rc; print ready >$out.ready"
for i in {1..500}; do
    [[ -e $out.ready ]] && break
    zpty -rt shell ignored >/dev/null 2>&1
    sleep 0.02
done
zpty -wn shell "$line"$'\t'
for i in {1..500}; do
    [[ -e $out.end ]] && break
    zpty -rt shell ignored >/dev/null 2>&1
    sleep 0.02
done
[[ -e $out.end ]] || print -u2 "complete.zsh: no answer for '$line'"
zpty -d shell
sort -u $out
# No trap: the shell in the terminal is forked, and would have it, too.
rm -f $out $out.rc $out.ready $out.end
