// ALPHA: the first noun.
#pragma once
#  include  <sys/socket.h>
