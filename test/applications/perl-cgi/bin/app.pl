#!/usr/bin/perl
use strict;
use warnings;
use IO::Socket::INET;
use Page;

my ($port) = @ARGV;
if ($port eq 'render') {
    print Page::render('once', scalar getpwuid($<));
    exit($ARGV[1] // 0);
}
my $server = IO::Socket::INET->new(LocalPort => $port, Listen => 5, ReuseAddr => 1) or die "cannot listen: $!\n";
while (my $client = $server->accept) {
    my $line = <$client> // '';
    while (my $header = <$client>) { last if $header =~ /^\r?\n$/ }
    my ($name) = $line =~ m{^GET /([a-z]+)};
    my $output = defined $name && -x "/app/cgi/$name" ? `/app/cgi/$name` : undef;
    print $client defined $output ? "HTTP/1.0 200 OK\r\n$output" : "HTTP/1.0 404 Not Found\r\n\r\n";
    close $client;
}
