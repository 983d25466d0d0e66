# SPDX-License-Identifier: MIT
# Whether two sides of a comparison had the same machine:
#	awk -f comparable.awk SIDE_A SIDE_B
# Each file is a line "OTHERS SPIN_NS": processor time that others used, percent of a CPU, and the
# time of the loop that only computes. Prints why not and ends with status 1.

BEGIN {
	# What a side may differ from the other: points of a percentage of one CPU, and percent.
	max_others = 10
	max_spin = 5
}

FNR == 1 { file++ }
NF == 2 && $2 > 0 { others[file] = $1; spin[file] = $2; sides++ }

END {
	if (sides != 2) {
		print "the load is not known"
		exit 1
	}
	apart = others[1] - others[2]
	if (apart > max_others || apart < -max_others) {
		printf "others used %.0f %% of a CPU, then %.0f %%\n", others[1], others[2]
		exit 1
	}
	slower = spin[1] > spin[2] ? spin[1] / spin[2] : spin[2] / spin[1]
	if (slower > 1 + max_spin / 100) {
		printf "the CPU was %.0f %% %s\n", 100 * (slower - 1), spin[1] < spin[2] ? "slower then" : "faster then"
		exit 1
	}
}
