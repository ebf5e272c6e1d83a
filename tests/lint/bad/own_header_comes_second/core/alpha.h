// ALPHA: the first noun.
#pragma once
