print("interface only")
