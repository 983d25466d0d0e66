# SPDX-License-Identifier: MIT
# Makes figures of samples (lib.sh says what they are):
#	awk -v format=text|markdown|bars -v tool=NAME -f report.awk targets samples
# Bars are what plot.awk draws: "SECTION<tab>KIND<tab>NAME<tab>VALUE<tab>SHOWN<tab>LIMIT<tab>least",
# KIND being ratio, peer or missing. Ends with status 1 where a figure is left out because its sides
# cannot be compared.
# Each ratio is the median of the ratios of the rounds. "~" marks what is closer to its
# target than half the distance of its quartiles: another run may say the opposite.

function abs(x)
{
	return x < 0 ? -x : x
}

# The @q-quantile of values[1..n], between neighbours.
function quantile(values, n, q,    i, j, v, at, low)
{
	for (i = 2; i <= n; i++) {
		v = values[i]
		for (j = i - 1; j >= 1 && values[j] > v; j--)
			values[j + 1] = values[j]
		values[j + 1] = v
	}
	at = 1 + (n - 1) * q
	low = int(at)
	if (low >= n)
		return values[n]
	return values[low] + (at - low) * (values[low + 1] - values[low])
}

# Adds one value to the list of a figure.
function add(key, value)
{
	nr[key]++
	list[key, nr[key]] = value
}

function quantile_of(key, q,    values, i)
{
	for (i = 1; i <= nr[key]; i++)
		values[i] = list[key, i] + 0
	return quantile(values, nr[key], q)
}

function figure(key)
{
	return quantile_of(key, key in greatest ? 1 : 0.5)
}

function spread(key)
{
	return (quantile_of(key, 0.75) - quantile_of(key, 0.25)) / 2
}

function unit_shown(key)
{
	return unit[key] == "x" || unit[key] == "" ? "" : " " unit[key]
}

function value_shown(key,    form)
{
	form = "%.0f"
	if (unit[key] == "x")
		form = "%.3f"
	else if (unit[key] == "%")
		form = "%.2f"
	else if (unit[key] == "ms" || unit[key] == "MB")
		form = "%.1f"
	return sprintf(form, figure(key)) unit_shown(key)
}

function is_least(key)
{
	return limit[key] ~ /-$/
}

function target_shown(key,    text)
{
	if (limit[key] == "")
		return ""
	text = limit[key] + 0
	if (unit[key] == "x")
		text = sprintf("%.2f", text)
	return (is_least(key) ? ">= " : "<= ") text unit_shown(key)
}

function verdict(key,    value, bound, holds)
{
	if (limit[key] == "")
		return ""
	value = figure(key)
	bound = limit[key] + 0
	holds = is_least(key) ? value >= bound : value <= bound
	return (holds ? "ok" : "MISSES") (abs(value - bound) < spread(key) ? " ~" : "")
}

# Most of the comparisons of the group, or of the figure, were made while the machine changed.
function is_dropped(name)
{
	return name in dropped && dropped[name] > kept[name]
}

function is_unfair(key)
{
	return key in unfair && unfair[key] > fair[key]
}

function is_incomparable(key)
{
	return is_dropped(group[key]) || is_unfair(key) ||
		(group[key] == "open" && is_unfair("open." tool))
}

# Where a figure stands in the document: its group, or those that belong together.
function section_of(key)
{
	if (key ~ /^(burst|cpu|filter|latency|start|stop|memory)/)
		return "tool"
	if (key ~ /^(load|floor)\./)
		return "programs"
	return key ~ /^syscalls\./ ? "syscalls" : group[key]
}

function sections_make()
{
	section_add("open", "Opens and other calls", "open")
	section_add("tool", "The tool itself", "burst consumer filter latency")
	section_add("inventory", "Inventory", "inventory")
	section_add("calls", "Calls of crypto functions", "calls")
	section_add("tap", "TLS handshakes and the packet tap", "tap")
	section_add("syscalls", "System calls", "syscalls")
	section_add("programs", "Programs under a monitor", "nginx sqlite make")
	section_add("peers", "Side by side with other tracers", "open peers")
}

function section_add(name, title, groups)
{
	sections[++nr_sections] = name
	section_title[name] = title
	section_groups[name] = groups
}

function is_markdown()
{
	return format == "markdown"
}

function bullet()
{
	return is_markdown() ? "- " : "  "
}

function figure_row(name, value, target, judged,    line)
{
	if (format == "bars")
		return
	if (is_markdown()) {
		sub(/^  /, "\\&nbsp;\\&nbsp;", name)
		printf "| %s | %s | %s | %s |\n", name, value, target, judged
		return
	}
	line = sprintf("%-44s %14s  %-10s  %s", name, value, target, judged)
	sub(/ +$/, "", line)
	print line
}

# A bar is as long as the figure is to its target; one without is measured by that above it, which it
# explains, where both are of the same unit.
function bar_print(section, key,    bound)
{
	if (limit[key] != "")
		bar_limit[section] = limit[key] + 0
	if (limit[key] != "")
		bar_unit[section] = unit[key]
	bound = limit[key] == "" && bar_unit[section] != unit[key] ? 0 : bar_limit[section]
	printf "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", section, is_incomparable(key) ? "missing" : "ratio",
		label[key], is_incomparable(key) ? 0 : figure(key),
		is_incomparable(key) ? "not comparable" : value_shown(key),
		bound, limit[key] == "" ? "free" : is_least(key) ? "least" : "most"
}

function figure_print(section, key)
{
	if (is_incomparable(key)) {
		nr_left_out++
		figure_row(label[key], "not comparable", target_shown(key), "")
	} else if (nr[key] > 0) {
		figure_row(label[key], value_shown(key), target_shown(key), verdict(key))
	} else if (limit[key] != "") {
		figure_row(label[key], "-", target_shown(key), "")
	}
	if (format == "bars" && (nr[key] > 0 || is_incomparable(key)))
		bar_print(section, key)
}

# Whether anything of a section was measured, or could not be compared.
function is_present(section,    i)
{
	if (section == "peers")
		return is_peers_measured()
	for (i = 1; i <= nr_keys; i++)
		if (section_of(keys[i]) == section && (nr[keys[i]] > 0 || is_incomparable(keys[i])))
			return 1
	return 0
}

function section_begin(section)
{
	if (is_markdown())
		printf "\n## %s\n\n`bench/run %s`\n\n![%s](bench-%s.svg)\n\n", section_title[section],
			section_groups[section], section_title[section], section
}

function figures_print(    i, j, section)
{
	if (!is_markdown())
		figure_row("figure", "measured", "target", "")
	for (i = 1; i <= nr_sections; i++) {
		section = sections[i]
		if (!is_present(section))
			continue
		if (section == "peers") {
			peers_print()
			continue
		}
		section_begin(section)
		if (is_markdown()) {
			figure_row("figure", "measured", "target", "")
			print "|---|---:|---|---|"
		}
		for (j = 1; j <= nr_keys; j++)
			if (section_of(keys[j]) == section)
				figure_print(section, keys[j])
	}
}

function noise_print(    i, n, noise, name)
{
	if (is_markdown())
		print "\n## Noise"
	print "\nnoise: no tracer against no tracer (median, half the distance of the quartiles)"
	if (is_markdown())
		print ""
	n = split("open.none.txt open.none.pem open.none.rel3 open.none.getppid " \
		  "noise.load.http noise.load.https noise.load.sqlite noise.load.make", noise, " ")
	for (i = 1; i <= n; i++) {
		if (nr[noise[i]] == 0)
			continue
		name = noise[i]
		sub(/^(open\.none|noise\.load)\./, "", name)
		printf "%s%-9s %.3f +-%.3f  (%d rounds)\n", bullet(), name,
			figure(noise[i]), spread(noise[i]), nr[noise[i]]
	}
	if (nr["base.txt"] > 0)
		printf "%sopen+close takes %.0f ns, getppid %.0f ns here without any tracer\n",
			bullet(), figure("base.txt"), figure("base.getppid")
}

# The columns of the table of tracers: what they show, how, and how wide.
function column_add(title, prefix, suffix, form, width)
{
	nr_columns++
	column_title[nr_columns] = title
	column_prefix[nr_columns] = prefix
	column_suffix[nr_columns] = suffix
	column_form[nr_columns] = form
	column_width[nr_columns] = width
}

function columns_make()
{
	column_add(".txt", "open.", ".txt", "%.2f", 6)
	column_add(".pem", "open.", ".pem", "%.2f", 6)
	column_add("rel", "open.", ".rel3", "%.2f", 6)
	column_add("getppid", "open.", ".getppid", "%.2f", 8)
	column_add("cpu %", "peer.", ".cpu", "%.2f", 6)
	column_add("kept %", "peer.", ".kept", "%.1f", 7)
	column_add("first", "peer.", ".first", "%.0f", 6)
	column_add("stop", "peer.", ".stop", "%.0f", 6)
	column_add("RSS", "peer.", ".rss", "%.1f", 6)
}

# A row of that table; without @name its titles.
function peer_row(name,    i, key, text)
{
	printf is_markdown() ? "| %s |" : "%-13s", name
	for (i = 1; i <= nr_columns; i++) {
		key = column_prefix[i] name column_suffix[i]
		text = name == "" ? column_title[i] : "-"
		if (is_peer_unfair(i, name))
			text = "n.c."
		else if (nr[key] > 0)
			text = sprintf(column_form[i], figure(key))
		nr_left_out += text == "n.c."
		if (is_markdown())
			printf " %s |", text
		else
			printf " %*s", column_width[i], text
	}
	print ""
}

# Whether what column I says of a tracer cannot be compared with the others'.
function is_peer_unfair(i, name)
{
	if (name == "")
		return 0
	if (column_prefix[i] == "peer.")
		return is_dropped("peers")
	return is_dropped("open") || is_unfair("open." name)
}

function is_peers_measured(    i, n, names)
{
	n = split(peers, names, " ")
	for (i = 1; i <= n; i++)
		if (is_measured(names[i]) || is_unfair("open." names[i]))
			return 1
	return 0
}

# Bars of how many times as long opening a .pem takes.
function peer_bar(name,    key, is_missing)
{
	key = "open." name ".pem"
	is_missing = is_dropped("open") || is_unfair("open." name)
	if (nr[key] > 0 || is_missing)
		printf "peers\t%s\t%s\t%s\t%s\t1\tfree\n", is_missing ? "missing" : "peer", name,
			is_missing ? 0 : figure(key),
			is_missing ? "not comparable" : sprintf("%.2f", figure(key))
}

function is_measured(name,    i)
{
	for (i = 1; i <= nr_columns; i++) {
		if (nr[column_prefix[i] name column_suffix[i]] > 0)
			return 1
	}
	return 0
}

function peers_print(    i, n, names)
{
	n = split(peers, names, " ")
	if (format == "bars") {
		for (i = 1; i <= n; i++)
			if (i == 4 || names[i] != tool)
				peer_bar(names[i])
		return
	}
	section_begin("peers")
	if (!is_markdown())
		print ""
	print "side by side: ratio to no tracer of four loops; then the tracer itself"
	if (is_markdown())
		print ""
	peer_row("")
	if (is_markdown())
		print "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
	for (i = 1; i <= n; i++) {
		if ((is_measured(names[i]) || is_unfair("open." names[i])) && (i == 4 || names[i] != tool))
			peer_row(names[i])
	}
	print "\ncpu: of one core at 5,000 opens/s; kept: of 100,000 opens at full speed; first event and"
	print "stop in ms, RSS in MB. strace runs the loops itself: it cannot watch a system."
	if (nr_left_out)
		print "n.c.: not comparable."
}

# What is missing and why.
function notes_print(    k)
{
	print ""
	for (k in skipped)
		printf "%snot measured: %s (%s)\n", bullet(), k, skipped[k]
	for (k in dropped)
		printf "%s%s: %d of %d comparisons dropped, the machine was not ours alone\n",
			bullet(), k, dropped[k], dropped[k] + kept[k]
	for (k in unfair)
		printf "%s%s: %d of %d comparisons left out: %s\n", bullet(), k, unfair[k],
			unfair[k] + fair[k], reason[k]
}

# A ratio of two variants exists in the rounds that have both.
function compare(key, kind, variant, floor,    r)
{
	for (r in rounds) {
		if (((variant, kind, r) in seen) && ((floor, kind, r) in seen))
			add(key, seen[variant, kind, r] / seen[floor, kind, r])
	}
}

function loops_of_tool(    i, n, kinds, from, k)
{
	n = split("txt pem rel3 rel8", kinds, " ")
	for (i = 1; i <= n; i++) {
		from = "open." tool "." kinds[i]
		for (k = 1; k <= nr[from]; k++)
			add("open." kinds[i], list[from, k])
	}
	compare("open.txt.pair", "txt", tool, "empty-pair")
	compare("open.getppid", "getppid", tool, "empty-exit")
}

FNR == 1 { file++ }
file == 1 && (/^#/ || NF == 0) { next }
file == 1 {
	split($0, part, "|")
	keys[++nr_keys] = part[1]
	group[part[1]] = part[2]
	label[part[1]] = part[3]
	limit[part[1]] = part[4]
	unit[part[1]] = part[5]
	next
}
$1 == "open" {
	add("open." $3 "." $4, $5 / $6)
	seen[$3, $4, $2] = $5 / $6
	rounds[$2] = 1
	if ($3 == "none")
		add("base." $4, $6)
}
$1 == "value" { add($2, $3) }
$1 == "peak" { add($2, $3); greatest[$2] = 1 }
$1 == "pair" {
	add($2, $4 / $3)
	if ($2 in before)
		add("noise." $2, $3 / before[$2])
	before[$2] = $3
}
$1 == "peer" { add("peer." $2 "." $3, $4) }
$1 == "dropped" { dropped[$2]++ }
$1 == "kept" { kept[$2]++ }
$1 == "comparable" { fair[$2]++ }
$1 == "incomparable" {
	unfair[$2]++
	why = $0
	sub(/^incomparable [^ ]+ /, "", why)
	reason[$2] = why
}
$1 == "skip" { name = $2; sub(/^skip [^ ]+ /, ""); skipped[name] = $0 }

END {
	if (tool != "none")
		loops_of_tool()
	peers = "none empty-exit empty-pair " tool " opensnoop bpftrace perf strace"
	columns_make()
	sections_make()
	figures_print()
	if (format != "bars") {
		noise_print()
		notes_print()
	}
	exit nr_left_out > 0
}
