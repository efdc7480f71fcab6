#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# An external sort: children sort the parts of a file each and write to pipes, the
# parent merges what comes out of them.  An alarm goes off now and then.

use strict;
use warnings;

my $lines = 60_000;
my $parts = 4;
my $alarms = 0;

sub sort_part {
	my ($part, $out) = @_;
	my $state = $part + 1;
	my @keys;

	for (1 .. $lines / $parts) {
		$state = ($state * 1103515245 + 12345) % 2147483648;
		push @keys, sprintf('%010d %d', $state, $part);
	}
	print $out "$_\n" for sort @keys;
	close $out or die "part $part: $!";
}

my (@from, @head);
for my $part (0 .. $parts - 1) {
	pipe(my $in, my $out) or die "pipe: $!";
	defined(my $pid = fork) or die "fork: $!";
	if (!$pid) {
		close $in;
		sort_part($part, $out);
		exit 0;
	}
	close $out;
	$from[$part] = $in;
}

# setitimer() of x86-64: whole seconds would be too long where the work is quick.
sub set_interval
{
	my ($microseconds) = @_;

	syscall(38, 0, pack('q4', 0, $microseconds, 0, $microseconds), 0) == 0 or die "setitimer: $!";
}

$SIG{ALRM} = sub { $alarms++ };
set_interval 20000;
$| = 1;
open my $sorted, '>', 'sorted' or die "sorted: $!";
$head[$_] = readline $from[$_] for 0 .. $parts - 1;
for my $line (1 .. $lines) {
	my ($least) = sort { $head[$a] cmp $head[$b] } grep { defined $head[$_] } 0 .. $parts - 1;

	print $sorted $head[$least];
	print "$line $head[$least]" if $line % 1000 == 0;
	$head[$least] = readline $from[$least];
}
close $sorted or die "sorted: $!";
set_interval 0;
for (1 .. $parts) {
	wait;
	die "a child failed: $?" if $?;
}
die "no alarm\n" unless $alarms;
print "done\n";
