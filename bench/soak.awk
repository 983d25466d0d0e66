# SPDX-License-Identifier: MIT
# What a soak has shown. Reads the accounts and the samples that bench/soak describes, prints both
# tables, and ends with status 1 where something is missing or grew.
#
# What may have grown between the medians of the second and the last quarter: memory by what two
# hash tables of that size may differ after other names, descriptors and entries by what is under
# way at a time. A leak of one thing an event is above that within seconds.

function fault(text)
{
	print "soak: " text
	faults++
}

# Kind of act, how often it was done, told, and lost in the sources that tell of it.
function account(kind, did, was_told, was_lost, missed)
{
	missed = did - was_told - was_lost
	if (missed < 0 && was_told <= did)
		missed = 0
	printf "%-24s %12d %12d %12d %12d\n", kind, did, was_told, was_lost, missed
	if (did == 0)
		fault("the load did none of: " kind)
	if (missed > 0)
		fault(missed " not told and not counted as lost: " kind)
	else if (was_told > did)
		fault(was_told - did " told that never were: " kind)
}

# The median of column COLUMN of the samples from FROM up to but not including TO.
function median(column, from, to, nr, i, j, value, sorted)
{
	nr = 0
	for (i = from; i < to; i++) {
		value = sample[i, column]
		for (j = nr++; j > 0 && sorted[j - 1] > value; j--)
			sorted[j] = sorted[j - 1]
		sorted[j] = value
	}
	return nr % 2 ? sorted[(nr - 1) / 2] : (sorted[nr / 2 - 1] + sorted[nr / 2]) / 2
}

function growth(name, column, allowed, second, last)
{
	second = median(column, int(nr_samples / 4), int(nr_samples / 2))
	last = median(column, int(nr_samples * 3 / 4), nr_samples)
	printf "%-24s %12.1f %12.1f %12.1f %12d\n", name, second, last, last - second, allowed
	if (last <= 0 && column != ENTRIES)
		fault("no sample has any: " name)
	if (last - second > allowed)
		fault("grew by " last - second ": " name)
}

# There may be none of them, of the rest there always is something.
BEGIN { ENTRIES = 6 }

FNR == 1 { file++ }
file == 2 {
	for (i = 1; i <= NF; i++)
		sample[nr_samples, i] = $i
	nr_samples++
	next
}
$1 == "done" && $2 == "mixed" { opens = $3; execs = $4; ms = $5 }
$1 == "done" && $2 == "handshakes" { ends = 2 * $3 }
$1 == "told" { told[$2] = $3 }
$1 == "lines" { lines[$2] = $3 }
$1 == "source" {
	nr_sources++
	written[$2] = $5
	lost[$2] = $6
	if ($3 != $4)
		fault($2 ": " $3 " seen, but " $4 " accounted for")
}

END {
	seconds = ms > 0 ? ms / 1000 : 1
	printf "%.0f s: %.0f events/s of %d, %.1f TLS handshakes/s of %d\n\n", seconds,
		(opens + 2 * execs) / seconds, events, ends / 2 / seconds, handshakes
	printf "%-24s %12s %12s %12s %12s\n", "", "done", "told", "lost", "missed"
	account("opens", opens, told["opens"], lost["file_open"])
	# The two programs of the load themselves are two more.
	account("programs begun", execs + 2, lines["process_exec"], lost["process_exec"])
	account("programs ended", execs + 2, lines["process_exit"], lost["process_exit"])
	account("ends of TLS handshakes", ends, told["handshakes"], lost["tap"] + lost["tls_handshake"])
	if (nr_sources == 0)
		fault("there is no coverage")
	for (name in written)
		if (written[name] != lines[name] + 0)
			fault(name ": " written[name] " written, but " lines[name] + 0 " lines")
	if (nr_samples < 8) {
		fault(nr_samples + 0 " samples are too few")
		exit 1
	}
	printf "\n%-24s %12s %12s %12s %12s\n", "medians of " nr_samples " samples", "2nd quarter",
		"last quarter", "growth", "allowed"
	growth("memory resident, kB", 2, 1024)
	growth("descriptors", 3, 4)
	growth("BPF maps", 5, 0)
	growth("entries of BPF maps", ENTRIES, 16)
	span = sample[nr_samples - 1, 1] - sample[0, 1]
	printf "%-24s %12.2f %% of a CPU\n", "processor time",
		(sample[nr_samples - 1, 4] - sample[0, 4]) / (10 * (span > 0 ? span : 1))
	exit faults > 0
}
