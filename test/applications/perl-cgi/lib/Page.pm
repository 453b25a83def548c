package Page;
use strict;
use warnings;

sub render {
    my ($title, $body) = @_;
    return "<!doctype html><title>$title</title>\n$body\n";
}

1;
