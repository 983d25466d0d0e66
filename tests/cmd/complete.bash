#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# complete.bash SCRIPT WORD...: what the completion in SCRIPT offers for the last WORD, which may be
# empty, a word a line. Words are given as readline breaks them: "--format=json" is three.

# shellcheck disable=SC2034 # the completion reads them
set -u
# shellcheck disable=SC1090 # made by the tool
. "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMPREPLY=()
_crypto_tracer
[ "${#COMPREPLY[@]}" -eq 0 ] || printf '%s\n' "${COMPREPLY[@]}" | sort -u
