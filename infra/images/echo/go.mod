module troupe/echo

go 1.21
